package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"goalbert/models"
	"goalbert/runtime/ort"
)

// A model of pairs reads both texts of a file as its data set has them, and refuses half an example.
func TestModelOfPairsReadsPairs(t *testing.T) {
	p := newProject(t)
	var rows, halves strings.Builder
	rows.WriteString("index\tquestion\tsentence\tlabel\n")
	halves.WriteString("sentence\tlabel\n")
	for i, s := range sentencesOf(12) {
		label := []string{"entailment", "not_entailment"}[i%2]
		rows.WriteString("0\tkato?\t" + s + "\t" + label + "\n")
		halves.WriteString(s + "\t" + label + "\n")
	}
	if err := os.MkdirAll(p.path("glue/QNLI"), 0o777); err != nil {
		t.Fatal(err)
	}
	dev := p.path("glue/QNLI/dev.tsv")
	write(t, p.path("glue/QNLI/train.tsv"), rows.String())
	write(t, dev, rows.String())
	write(t, p.path("halves.tsv"), halves.String())
	must(t, "finetune", "--task", "glue/qnli", "--data", p.path("glue"), "--config", p.config, "--tokenizer", p.vocabulary,
		"--steps", "2", "--warmup", "0", "--batch", "4", "--max-length", "16", "--out", p.path("run"))
	if c, err := models.ReadConfig(p.path("run/model")); err != nil || c.TaskParams.Texts != 2 {
		t.Errorf("config.json has %+v, error %v, want two texts", c.TaskParams, err)
	}
	file := p.path("out/model.onnx")
	must(t, "export", p.path("run"), "--out", file)
	for _, model := range []string{p.path("run"), file} {
		run := func(command string, arguments ...string) result {
			return albert(t, "", append([]string{command, model, "--engine", engineOf(model)}, arguments...)...)
		}
		byName, byFile := run("eval", "--json", "--data", p.path("glue")), run("eval", "--json", "--data", dev)
		var ofName, ofFile taskEvaluation
		decode(t, byName.stdout, &ofName)
		decode(t, byFile.stdout, &ofFile)
		if a, b := scoreText(ofName.Engines[0].Scores), scoreText(ofFile.Engines[0].Scores); a != b {
			t.Errorf("%s: as the data set %s, as a file %s", model, a, b)
		}
		var answer predicted
		first, _, _ := strings.Cut(run("predict", "--json", "--data", dev).stdout, "\n")
		if decode(t, first, &answer); len(answer.Texts) != 2 || answer.Texts[0] != "kato?" {
			t.Errorf("%s: what is predicted is of %q", model, answer.Texts)
		}
		run("eval", "--data", p.path("halves.tsv")).fails(t, "halves.tsv:2: 1 text, and the model takes 2; name the columns of both")
		run("predict", "one text").fails(t, "text 1: 1 text, and the model takes 2", "put a tab between typed ones")
	}
}

// Half an example among the dev examples is bad as any other, and left out where that is asked for; texts without labels
// calibrate a model of pairs one by one.
func TestHalvesOfPairs(t *testing.T) {
	p := newProject(t)
	var lines, texts strings.Builder
	for i, s := range sentencesOf(12) {
		fmt.Fprintf(&lines, `{"text": "kato", "text_pair": %q, "label": "%d"}`+"\n", s, i%2)
		texts.WriteString(s + "\n")
	}
	write(t, p.path("train.jsonl"), lines.String())
	write(t, p.path("dev.jsonl"), lines.String()+`{"text": "kato", "label": "1"}`+"\n")
	write(t, p.path("texts.txt"), texts.String())
	arguments := []string{"finetune", "--task", "classification", "--config", p.config, "--tokenizer", p.vocabulary, "--train", p.path("train.jsonl"),
		"--dev", p.path("dev.jsonl"), "--steps", "2", "--warmup", "0", "--batch", "4", "--out", p.path("run")}
	albert(t, "", arguments...).fails(t, "dev.jsonl:13: 1 text, and the model takes 2")
	if r := albert(t, "", append(arguments, "--skip-bad")...); r.code != 0 || !strings.Contains(r.stderr, "1 examples were left out") {
		t.Errorf("got exit code %d and %q, want one example left out", r.code, r.stderr)
	}
	if _, err := ort.Find(""); err != nil {
		t.Skip("calibrating needs ONNX Runtime")
	}
	must(t, "export", p.path("run"), "--out", p.path("out/model.onnx"), "--precision", "int8", "--calibrate", p.path("texts.txt"),
		"--max-drop", "99", "--write-uncertified")
}

// A metric that is none is found before the run's directory is made, also where there are no dev examples to score.
func TestMetricWithoutDev(t *testing.T) {
	p := newProject(t)
	train, _ := p.examplesOf(t, "classification")
	for _, metric := range []string{"f2", "f1_macro"} { // of no labels, and of more labels than two
		albert(t, "", "finetune", "--task", "classification", "--config", p.config, "--tokenizer", p.vocabulary, "--train", train,
			"--steps", "2", "--metric", metric, "--out", p.path("run")).fails(t, `metric is "`+metric+`", want one of accuracy, f1`)
		if _, err := os.Stat(p.path("run")); err == nil {
			t.Errorf("metric %s: there is a run", metric)
		}
	}
}
