package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"goalbert/models"
	"goalbert/tasks"
)

// What a model was fine-tuned with need not be said again: it is in config.json and in the metadata of a file, and flags
// override it.
func TestModelKeepsItsTask(t *testing.T) {
	p := newProject(t)
	var trained finetuned
	decode(t, must(t, p.finetune(t, "question-answering", "run", "--no-answer", "--null-threshold", "-100", "--doc-stride", "8",
		"--max-length", "24", "--metric", "exact", "--steps", "4", "--json")...), &trained)
	c, err := models.ReadConfig(trained.Model)
	want := models.TaskParams{Task: "question-answering", Metric: "exact", MaxLength: 24, DocStride: 8, MaxQueryLength: 64,
		MaxAnswerLength: 30, NBest: 20, NoAnswer: true, NullThreshold: -100}
	if err != nil || c.TaskParams != want {
		t.Fatalf("config.json has %+v, error %v, want %+v", c.TaskParams, err, want)
	}
	file := p.path("out/model.onnx")
	must(t, "export", trained.Model, "--out", file)
	beside := c
	beside.TaskParams = models.TaskParams{}
	text, err := json.Marshal(beside)
	if err != nil {
		t.Fatal(err)
	}
	write(t, p.path("out/config.json"), string(text)) // so that the metadata must say it
	_, dev := p.examplesOf(t, "question-answering")
	for _, model := range []string{p.path("run"), file} {
		var found taskEvaluation
		decode(t, must(t, "eval", model, "--engine", engineOf(model), "--data", dev, "--json"), &found)
		near := func(a, b tasks.Score) bool { return a.Name == b.Name && math.Abs(a.Value-b.Value) < 1e-5 } // thresholds are logits
		if got, want := found.Engines[0].Scores, trained.Runs[0].Scores; !slices.EqualFunc(got, want, near) {
			t.Errorf("%s: eval gives %v, the training %v", model, got, want)
		}
		decode(t, must(t, "eval", model, "--engine", engineOf(model), "--data", dev, "--metric", "f1", "--json"), &found)
		if got := found.Engines[0].Scores[0].Name; got != "f1" {
			t.Errorf("%s: %s comes first, f1 is asked for", model, got)
		}
		predict := func(more ...string) (answer struct {
			Answer   string   `json:"answer"`
			NullOdds *float64 `json:"null_odds"`
		}) {
			r := albert(t, "kato?\tsal ver kato end.\n", append([]string{"predict", model, "--engine", engineOf(model), "--json"}, more...)...)
			if r.code != 0 {
				t.Fatalf("%+v", r)
			}
			decode(t, r.stdout, &answer)
			return answer
		}
		if a := predict(); a.Answer != "" || a.NullOdds == nil {
			t.Errorf("%s: answer %q, want none, by the model's threshold", model, a.Answer)
		}
		if a := predict("--null-threshold", "100"); a.Answer == "" || a.NullOdds == nil {
			t.Errorf("%s: no answer with the threshold of the flag", model)
		}
		if a := predict("--no-answer=false"); a.Answer == "" || a.NullOdds != nil {
			t.Errorf("%s: %+v, want an answer to every question", model, a)
		}
	}
}

func engineOf(model string) string {
	if filepath.Ext(model) == ".onnx" {
		return onnxGo
	}
	return nativeEngine
}

// Of a directory of data a model's own data set is meant, and of a file its kind.
func TestModelKeepsItsDataSet(t *testing.T) {
	p := newProject(t)
	if err := os.MkdirAll(p.path("glue/CoLA"), 0o777); err != nil {
		t.Fatal(err)
	}
	rows, plain := "", "text\tlabel\n"
	for i, s := range sentencesOf(12) {
		label := string('0' + rune(i%2))
		rows += "a\t" + label + "\t\t" + s + "\n"
		plain += s + "\t" + label + "\n"
	}
	write(t, p.path("glue/CoLA/train.tsv"), rows)
	write(t, p.path("glue/CoLA/dev.tsv"), rows)
	write(t, p.path("plain.tsv"), plain)
	must(t, "finetune", "--task", "glue/cola", "--data", p.path("glue"), "--config", p.config, "--tokenizer", p.vocabulary,
		"--steps", "2", "--warmup", "0", "--batch", "4", "--max-length", "16", "--out", p.path("run"))
	for data, task := range map[string]string{p.path("glue"): "glue/cola", p.path("plain.tsv"): "classification"} {
		var found taskEvaluation
		decode(t, must(t, "eval", p.path("run"), "--data", data, "--json"), &found)
		if found.Task != task || found.Engines[0].Scores[0].Name != "matthews_correlation" {
			t.Errorf("%s is read as %s with %v, want %s and the metric of the training", data, found.Task, found.Engines[0].Scores, task)
		}
	}
}

// Scores by another metric, or on other examples, are not compared with those of a run.
func TestResumeOfOtherScores(t *testing.T) {
	p := newProject(t)
	must(t, p.finetune(t, "classification", "run", "--steps", "2")...)
	resume := func(more ...string) result {
		return albert(t, "", append([]string{"finetune", "--out", p.path("run"), "--resume"}, more...)...)
	}
	train, _ := p.examplesOf(t, "classification")
	resume("--metric", "matthews_correlation").fails(t, `metric is "matthews_correlation", the checkpoint was made with "accuracy"`)
	resume("--dev", train).fails(t, "the dev examples are not those of the checkpoint's scores")
	if r := resume("--metric", "accuracy"); r.code != 0 {
		t.Errorf("with the same metric: %+v", r)
	}
}

// A file may number the labels of a model or call them otherwise, to be evaluated and to train on.
func TestLabelsOfAnotherFile(t *testing.T) {
	p := newProject(t)
	model := p.taskModel(t, models.ForSequenceClassification, models.SingleLabel, "NEGATIVE", "POSITIVE")
	numbers, names := "sentence\tlabel\n", "sentence\tlabel\n"
	for i, s := range sentencesOf(8) {
		numbers += s + "\t" + []string{"0", "1"}[i/3%2] + "\n"
		names += s + "\t" + []string{"neg", "pos"}[i/3%2] + "\n"
	}
	write(t, p.path("numbers.tsv"), numbers)
	write(t, p.path("names.tsv"), names)
	score := func(arguments ...string) string {
		var found taskEvaluation
		decode(t, must(t, append([]string{"eval", model, "--json", "--data"}, arguments...)...), &found)
		return scoreText(found.Engines[0].Scores)
	}
	if a, b := score(p.path("numbers.tsv")), score(p.path("names.tsv"), "--label-map", "pos=POSITIVE,neg=NEGATIVE"); a != b {
		t.Errorf("by number %s, by name %s", a, b)
	}
	albert(t, "", "eval", model, "--data", p.path("names.tsv")).fails(t, `label "neg" is unknown`, `"NEGATIVE", "POSITIVE"`)
	must(t, "finetune", "--task", "classification", "--model", model, "--train", p.path("numbers.tsv"), "--steps", "2", "--warmup", "0",
		"--out", p.path("run"))
	c, err := models.ReadConfig(p.path("run/model"))
	if want := []string{"NEGATIVE", "POSITIVE"}; err != nil || !slices.Equal(c.Labels.Names(), want) {
		t.Errorf("the labels are %v, error %v, want %v", c.Labels.Names(), err, want)
	}
}

// A flag that the task does not use is bad usage.
func TestFlagsOfOtherTasks(t *testing.T) {
	p := newProject(t)
	model := p.taskModel(t, models.ForSequenceClassification, models.Regression, "LABEL_0")
	train, _ := p.examplesOf(t, "regression")
	finetune := []string{"finetune", "--model", model, "--train", train, "--out", p.path("run")}
	for _, test := range []struct {
		arguments []string
		want      string
	}{
		{append(finetune, "--task", "regression", "--multi-label"), "--multi-label is not for task regression, but for classification"},
		{append(finetune, "--task", "regression", "--doc-stride", "7"), "--doc-stride is not for task regression"},
		{append(finetune, "--task", "regression", "--label-weights", "balanced"), "--label-weights is not for task regression"},
		{append(finetune, "--task", "glue/sst2", "--text-column", "x"), "--text-column is not for task glue/sst2, whose files are known"},
		{append(finetune, "--task", "classification", "--label-separator", ";"), "add --multi-label"},
		{append(finetune, "--task", "classification", "--label-map", "a"), `label-map has "a", want old=new`},
		{[]string{"eval", model, "--data", train, "--scale", "5"}, "--scale is not for task regression, but for similarity"},
		{[]string{"predict", model, "--n-best", "5", "kato"}, "--n-best is not for task regression"},
	} {
		r := albert(t, "", test.arguments...)
		if r.code != exitUsage || !strings.Contains(strings.Split(r.stderr, "\n")[0], test.want) {
			t.Errorf("%v: exit code %d, %q; want %d and %q", test.arguments, r.code, r.stderr, exitUsage, test.want)
		}
	}
}

// Embeddings are of texts as long as those of the fine-tuning, unless a flag says otherwise.
func TestEmbedKeepsTheLength(t *testing.T) {
	p := newProject(t)
	model := p.taskModel(t, models.BaseModel, "")
	c, err := models.ReadConfig(model)
	if err != nil {
		t.Fatal(err)
	}
	for params, cut := range map[models.TaskParams]bool{
		{}:                                      false,
		{Task: "similarity/stsb", MaxLength: 8}: true,
		{Task: "classification", MaxLength: 8}:  false, // it was another head's
	} {
		c.TaskParams = params
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(model, models.ConfigFile), string(text))
		long := strings.Repeat("kato ", 5)
		if r := albert(t, "", "embed", model, long); r.code != 0 || strings.Contains(r.stderr, "are too long") != cut {
			t.Errorf("%+v: %d, %q, want that the text is cut off: %v", params, r.code, r.stderr, cut)
		}
		if r := albert(t, "", "embed", model, long, "--max-length", "30"); r.code != 0 || strings.Contains(r.stderr, "are too long") {
			t.Errorf("%+v, with a flag: %d, %q", params, r.code, r.stderr)
		}
	}
}
