package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"goalbert/models"
	"goalbert/native"
	"goalbert/tasks"
	"goalbert/train"
)

// sentencesOf returns n sentences of the project's language.
func sentencesOf(n int) []string {
	lines := strings.Split(strings.ReplaceAll(text(n), "\n\n", "\n"), "\n")
	return lines[:n]
}

// examplesOf writes examples of a task, to train on and to test on, and returns the files. What is right follows from
// the text, so that it can be learned.
func (p project) examplesOf(t *testing.T, task string) (train, dev string) {
	t.Helper()
	const n = 60
	sentences := sentencesOf(2 * n)
	object := func(v any) string {
		line, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(line) + "\n"
	}
	words := func(i int) []string { return strings.Fields(sentences[i]) }
	var header, end string
	var one func(i int) string
	switch task {
	case "classification":
		header = "sentence\tlabel\n"
		one = func(i int) string { return sentences[i] + "\t" + []string{"short", "long"}[len(words(i))%2] + "\n" }
	case "multi-label":
		one = func(i int) string {
			labels := []string{}
			for _, label := range []string{"ka", "lu", "to"} {
				if strings.Contains(sentences[i], label) {
					labels = append(labels, label)
				}
			}
			return object(map[string]any{"text": sentences[i], "labels": labels})
		}
	case "regression":
		header = "sentence1,sentence2,score\n"
		one = func(i int) string {
			return fmt.Sprintf("%q,%q,%.2f\n", sentences[i], sentences[2*n-1-i], float64(len(words(i)))/3)
		}
	case "tokens":
		one = func(i int) string {
			var b strings.Builder
			for j, word := range words(i) {
				fmt.Fprintln(&b, word, []string{"O", "B-NAME", "I-NAME"}[min(j, 2)%3*len(word)%3])
			}
			return b.String() + "\n"
		}
	case "question-answering":
		header, end = `{"version": "1.1", "data": [`, `{"title": "", "paragraphs": []}]}`
		one = func(i int) string {
			answer := words(i)[1]
			return object(map[string]any{"title": fmt.Sprint(i), "paragraphs": []any{map[string]any{
				"context": sentences[i], "qas": []any{map[string]any{"id": fmt.Sprint("q", i), "question": words(i)[0] + "?",
					"answers": []any{map[string]any{"text": answer, "answer_start": len(words(i)[0]) + 1}}}},
			}}}) + ","
		}
	case "multiple-choice":
		one = func(i int) string {
			choices := []string{sentences[i], sentences[2*n-1-i], "end."}
			return object(map[string]any{"context": sentences[i], "choices": choices, "label": 0})
		}
	case "similarity":
		header = "anchor\tpositive\tnegative\n"
		one = func(i int) string { return sentences[i] + "\t" + words(i)[0] + "\t" + sentences[2*n-1-i] + "\n" }
	case "cosine":
		header = "sentence1\tsentence2\tscore\n"
		one = func(i int) string { return fmt.Sprintf("%s\t%s\t%.1f\n", sentences[i], sentences[i+1], float64(i%6)) }
	}
	ending := map[string]string{"multi-label": "jsonl", "multiple-choice": "jsonl", "regression": "csv", "tokens": "txt",
		"question-answering": "json"}[task]
	if ending == "" {
		ending = "tsv"
	}
	file := func(name string, from, to int) string {
		var b strings.Builder
		b.WriteString(header)
		for i := from; i < to; i++ {
			b.WriteString(one(i))
		}
		b.WriteString(end)
		path := p.path(task + "-" + name + "." + ending)
		write(t, path, b.String())
		return path
	}
	return file("train", 0, n-20), file("dev", n-20, n)
}

// finetune returns the arguments of a short fine-tuning from random weights.
func (p project) finetune(t *testing.T, task, out string, more ...string) []string {
	t.Helper()
	name := map[string]string{"multi-label": "classification", "cosine": "similarity"}[task]
	if name == "" {
		name = task
	}
	train, dev := p.examplesOf(t, task)
	return append([]string{"finetune", "--task", name, "--config", p.config, "--tokenizer", p.vocabulary, "--train", train,
		"--dev", dev, "--batch", "8", "--learning-rate", "3e-3", "--out", p.path(out)}, more...)
}

// Each task from examples to a file: the metric is the same natively and in every engine, every prediction too, and the
// file answers without being told what it is.
func TestEveryTask(t *testing.T) {
	p := newProject(t)
	engines := "onnx-go"
	if r := albert(t, "", "doctor", "--json"); !strings.Contains(r.stdout, `"library": null`) {
		engines += ",onnxruntime"
	}
	for _, test := range []struct {
		task   string
		flags  []string
		metric string
		within float64 // of a correlation: values differ by rounding, and it by that over their spread
		input  string
	}{
		{"classification", nil, "accuracy", 0, "kato end."},
		{"multi-label", []string{"--multi-label"}, "f1_micro", 0, "kato end."},
		{"regression", nil, "pearson", 1e-2, "kato\tend."},
		{"tokens", []string{"--label-weights", "balanced"}, "f1", 0, "kato end."},
		{"question-answering", []string{"--doc-stride", "8"}, "f1", 0, "kato?\tsal ver kato end."},
		{"multiple-choice", nil, "accuracy", 0, "kato\tsal\tver"},
		{"similarity", nil, "retrieval_accuracy", 0, "kato\tsal"},
		{"cosine", []string{"--scale", "5"}, "spearmanr", 1e-2, "kato\tsal"},
	} {
		t.Run(test.task, func(t *testing.T) {
			arguments := p.finetune(t, test.task, test.task, append(test.flags, "--epochs", "2", "--json")...)
			var trained finetuned
			decode(t, must(t, arguments...), &trained)
			run := trained.Runs[0]
			if run.Scores[0].Name != test.metric || trained.Examples != 40 || run.Step != run.Steps || trained.Model != run.Model {
				t.Fatalf("got %+v, run %+v; want the metric %s, and 40 examples", trained, run.FinetuneResult, test.metric)
			}
			for _, name := range []string{"metrics.jsonl", "curves.png", "model/config.json", "model/spiece.model"} {
				if _, err := os.Stat(p.path(test.task + "/" + name)); err != nil {
					t.Error(err)
				}
			}
			folder := p.path(test.task + "/out")
			file := filepath.Join(folder, "model.onnx")
			must(t, "export", trained.Model, "--out", file)
			_, dev := p.examplesOf(t, test.task)
			var found taskEvaluation
			decode(t, must(t, "eval", file, "--engine", engines, "--data", dev, "--agree-with", trained.Model, "--json"), &found)
			if len(found.Engines) != 2+strings.Count(engines, ",") || found.Examples != 20 {
				t.Fatalf("got %+v", found)
			}
			for _, r := range found.Engines {
				for i, score := range r.Scores {
					want := run.Scores[i]
					if score.Name != want.Name || math.Abs(score.Value-want.Value) > test.within {
						t.Errorf("%s: %s is %v, after the training it was %v", r.Engine, score.Name, score.Value, want)
					}
				}
				if r.Agreement != nil && r.Agreement.Same+r.Agreement.Ties != 20 {
					t.Errorf("%s: %+v", r.Engine, r.Agreement)
				}
			}
			report := must(t, "parity", trained.Model, file, "--engine", engines, "--data", dev)
			if n := strings.Count(report, "predictions of "+filepath.Base(dev)); n != 1+strings.Count(engines, ",") {
				t.Errorf("the report has the predictions of %d engines:\n%s", n, report)
			}
			if natively := albert(t, test.input+"\n", "predict", p.path(test.task)); natively.code != 0 {
				t.Errorf("predict of the run: %+v", natively)
			}
			if r := albert(t, test.input+"\n", "predict", file, "--engine", "onnx-go"); r.code != 0 || strings.Count(r.stdout, "\n") != 1 {
				t.Errorf("predict: %+v", r)
			}
		})
	}
}

// A file of whole numbers has no tolerance: a share of its predictions must be the checkpoint's.
func TestEvalOfWholeNumbers(t *testing.T) {
	if r := albert(t, "", "doctor", "--json"); strings.Contains(r.stdout, `"library": null`) {
		t.Skip("there is no ONNX Runtime on this machine")
	}
	p := newProject(t)
	dir, file := p.taskModel(t, models.ForSequenceClassification, models.SingleLabel, "long", "short"), p.path("out/model.onnx")
	must(t, "export", dir, "--out", file, "--precision", "int8")
	_, dev := p.examplesOf(t, "classification")
	arguments := []string{"eval", file, "--data", dev, "--agree-with", dir, "--json"}
	var found taskEvaluation
	decode(t, must(t, append(arguments, "--min-agreement", "0")...), &found)
	a := found.Engines[1].Agreement
	if a.Same+a.Ties != 20 || a.Different != 0 || a.Share != 0 || !(a.MaxAbs > 1e-4) {
		t.Errorf("got %+v, want outputs that differ, without a tolerance", a)
	}
	if r := albert(t, "", append(arguments, "--min-agreement", "1")...); (r.code == 0) != (a.Same == 20) {
		t.Errorf("with %d of 20 the same and all asked for: %+v", a.Same, r)
	}
}

// From a pre-trained model the encoder is kept, and what is new and what is dropped is said in a sentence; a fine-tuned one
// goes on as it is, in its own order of the labels. A frozen encoder stays as it was.
func TestFinetuneFromModels(t *testing.T) {
	p := newProject(t)
	must(t, p.pretrain("pretrained", "--steps", "2")...)
	train, dev := p.examplesOf(t, "classification")
	from := func(model, out string, more ...string) result {
		return albert(t, "", append([]string{"finetune", "--task", "classification", "--model", model, "--train", train, "--dev", dev, "--out", p.path(out)}, more...)...)
	}
	write(t, p.path("labels.txt"), "short\nlong\n")
	r := from(p.path("pretrained"), "frozen", "--freeze", "--steps", "5", "--warmup", "0", "--labels", p.path("labels.txt"))
	if r.code != 0 || !strings.Contains(r.stderr, "classifier.bias and classifier.weight are new") || !strings.Contains(r.stderr, "predictions.bias") {
		t.Fatalf("got %+v", r)
	}
	before, err := models.ReadCheckpoint(p.path("pretrained/model"))
	if err != nil {
		t.Fatal(err)
	}
	after, err := models.ReadCheckpoint(p.path("frozen/model"))
	if err != nil {
		t.Fatal(err)
	}
	same := func(a, b *models.Parameter) bool { return slices.Equal(before.Tensor(a), after.Tensor(b)) }
	if b, a := before.Parameters, after.Parameters; !same(b.Embeddings.Word, a.Embeddings.Word) ||
		!same(b.LayerGroups[0][0].FFN.Weight, a.LayerGroups[0][0].FFN.Weight) || same(b.Pooler.Weight, a.Pooler.Weight) {
		t.Error("a frozen encoder has changed, or the pooler has not")
	}
	if names := after.Config.Labels.Names(); !slices.Equal(names, []string{"short", "long"}) {
		t.Errorf("the labels are %v, want those of the file, in its order", names)
	}
	if flags, err := os.ReadFile(p.path("frozen/" + flagsFile)); err != nil || !bytes.Contains(flags, []byte(p.path("pretrained/model"))) {
		t.Errorf("the flags are %s, error %v; want the directory, for the run may have another checkpoint when it is resumed", flags, err)
	}
	if r := from(p.path("frozen/model"), "further", "--steps", "5", "--label-weights", "long=2"); r.code != 0 || strings.Contains(r.stderr, " new") {
		t.Errorf("got %+v, want that nothing is new", r)
	}
	c, err := models.ReadConfig(p.path("further/model"))
	if err != nil || !slices.Equal(c.Labels.Names(), []string{"short", "long"}) {
		t.Errorf("the labels are %v, error %v; want those of the model", c.Labels.Names(), err)
	}
}

// Several seeds have runs of their own; the mean and the spread of their scores are printed.
func TestSeeds(t *testing.T) {
	p := newProject(t)
	var r finetuned
	decode(t, must(t, p.finetune(t, "classification", "seeds", "--steps", "6", "--seeds", "1,2,3", "--patience", "2", "--json")...), &r)
	if len(r.Runs) != 3 || r.Runs[2].Seed != 3 || r.Runs[2].Model != p.path("seeds/seed-3/model") {
		t.Fatalf("got %+v", r)
	}
	sum, squares, best := 0.0, 0.0, 0.0
	for _, run := range r.Runs {
		v := run.Scores[0].Value
		sum, squares, best = sum+v, squares+v*v, max(best, v)
	}
	deviation := math.Sqrt(max(0, squares-sum*sum/3) / 2)
	if math.Abs(r.Mean[0].Value-sum/3) > 1e-12 || math.Abs(r.Spread[0].Value-deviation) > 1e-7 {
		t.Errorf("mean %v, spread %v; want %v and %v", r.Mean[0], r.Spread[0], sum/3, deviation)
	}
	for _, run := range r.Runs {
		if run.Model == r.Model && run.Scores[0].Value != best {
			t.Errorf("the model is that of seed %d, whose score is %v, the best is %v", run.Seed, run.Scores[0], best)
		}
	}
	must(t, p.finetune(t, "classification", "alone", "--steps", "6", "--seed", "2", "--patience", "2")...)
	if !bytes.Equal(weightsOf(t, p.path("alone")), weightsOf(t, p.path("seeds/seed-2"))) {
		t.Error("a seed among others gives other weights than alone")
	}
	if again := must(t, "finetune", "--out", p.path("seeds"), "--resume", "--json"); !strings.Contains(again, `"spread"`) {
		t.Errorf("resumed after the end, it printed %s", again)
	}
}

// The best run gives the model; the spread is the standard deviation of a sample: of 1, 2 and 6 about 3 it is √7.
func TestSumUp(t *testing.T) {
	var r finetuned
	for i, v := range []float64{1, 6, 2} {
		r.Runs = append(r.Runs, seedResult{uint64(i), &train.FinetuneResult{
			Model: fmt.Sprint("model ", i), Scores: tasks.Scores{{Name: "accuracy", Value: v}, {Name: "f1", Value: -v}},
		}})
	}
	r.sumUp()
	want := tasks.Scores{{Name: "accuracy", Value: math.Sqrt(7)}, {Name: "f1", Value: math.Sqrt(7)}}
	if r.Model != "model 1" || !slices.Equal(r.Mean, tasks.Scores{{Name: "accuracy", Value: 3}, {Name: "f1", Value: -3}}) ||
		!slices.Equal(r.Spread, want) {
		t.Errorf("got %+v", r)
	}
}

// Killed at random moments and resumed, with two seeds, a fine-tuning ends with the bytes of one that was left alone.
func TestKilledFinetuning(t *testing.T) {
	p := newProject(t)
	arguments := func(out string) []string {
		return p.finetune(t, "classification", out, "--steps", "150", "--seeds", "1,2", "--evaluate-every", "10", "--threads", "1")
	}
	began := time.Now()
	must(t, arguments("whole")...)
	took := time.Since(began)
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	kills := 0
	for attempt := 0; ; attempt++ {
		command := exec.Command(program, "finetune", "--out", p.path("killed"), "--resume", "--threads", "2")
		if _, err := os.Stat(p.path("killed/" + flagsFile)); err != nil {
			command = exec.Command(program, arguments("killed")...)
		}
		var stderr bytes.Buffer
		command.Stderr = &stderr
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		if attempt < 6 {
			time.AfterFunc(time.Duration(random.Float64()*float64(took)/2), func() { command.Process.Kill() })
		}
		if command.Wait() == nil {
			break
		}
		if command.ProcessState.ExitCode() != -1 {
			t.Fatalf("after %d kills: %s", kills, stderr.String())
		}
		kills++
	}
	t.Logf("killed %d times", kills)
	if kills == 0 {
		t.Error("the run ended before it was killed")
	}
	for _, seed := range []string{"/seed-1", "/seed-2"} {
		if !bytes.Equal(weightsOf(t, p.path("killed"+seed)), weightsOf(t, p.path("whole"+seed))) {
			t.Errorf("%s: killed %d times and resumed, the weights are others", seed, kills)
		}
	}
}

// Whatever the task and the way it is trained, a run that goes on from a checkpoint ends with the bytes of one that was
// left alone: its masks, its batches and its optimizer are at the step they would have been at.
func TestEveryTaskIsResumed(t *testing.T) {
	p := newProject(t)
	for _, test := range []struct {
		name, task string
		flags      []string
	}{
		{"class weights", "classification", []string{"--label-weights", "balanced"}},
		{"frozen", "classification", []string{"--freeze"}},
		{"bf16", "classification", []string{"--precision", "bf16"}},
		{"several micro-batches", "classification", []string{"--micro-batch-tokens", "30"}},
		{"", "multi-label", []string{"--multi-label"}},
		{"", "regression", nil},
		{"", "tokens", nil},
		{"", "question-answering", nil},
		{"", "multiple-choice", nil},
		{"", "similarity", nil},
		{"", "cosine", []string{"--scale", "5"}},
	} {
		t.Run(strings.TrimSpace(test.task+" "+test.name), func(t *testing.T) {
			if test.name == "bf16" && native.BF16.Available() != nil {
				t.Skip("the processor has no bfloat16")
			}
			run := filepath.Join(t.TempDir(), "run")
			arguments := p.finetune(t, test.task, "", append(test.flags, "--steps", "6", "--evaluate-every", "2",
				"--keep-checkpoints", "9", "--dropout", "0.1", "--classifier-dropout", "0.1", "--seed", "3", "--out", run)...)
			must(t, arguments...)
			whole := weightsOf(t, run)
			for _, later := range []string{"model", "checkpoints/step-00000004", "checkpoints/step-00000006"} {
				path := filepath.Join(run, later)
				if _, err := os.Stat(path); err != nil {
					t.Fatal(err)
				}
				if err := os.RemoveAll(path); err != nil {
					t.Fatal(err)
				}
			}
			if r := albert(t, "", "finetune", "--out", run, "--resume"); r.code != 0 {
				t.Fatalf("exit code %d: %s", r.code, r.stderr)
			}
			if !bytes.Equal(weightsOf(t, run), whole) {
				t.Error("resumed, the weights are others")
			}
		})
	}
}

// An interruption ends a fine-tuning with a checkpoint and exit code 130.
func TestInterruptedFinetuning(t *testing.T) {
	p := newProject(t)
	command := exec.Command(program, p.finetune(t, "classification", "run", "--steps", "5000", "--evaluate-every", "5000", "--checkpoint-every", "5000")...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		metrics, _ := os.ReadFile(p.path("run/metrics.jsonl"))
		if bytes.Count(metrics, []byte("\n")) > 3 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("no step within a minute")
		}
	}
	command.Process.Signal(os.Interrupt)
	command.Wait()
	if code := command.ProcessState.ExitCode(); code != exitInterrupted || !strings.Contains(stderr.String(), "is whole, go on with --resume") {
		t.Errorf("exit code %d, %q", code, stderr.String())
	}
	found, err := filepath.Glob(p.path("run/checkpoints/step-*"))
	if err != nil || len(found) != 1 || found[0] <= p.path("run/checkpoints/step-00000000") || found[0] >= p.path("run/checkpoints/step-00005000") {
		t.Errorf("the checkpoints are %v, error %v; want the one of the interruption", found, err)
	}
}

// Whatever is wrong with the examples, the labels or the model is one sentence that says where, and leaves nothing behind.
func TestFinetuneRefuses(t *testing.T) {
	p := newProject(t)
	file := func(name, content string) string {
		write(t, p.path(name), content)
		return p.path(name)
	}
	good := "sentence\tlabel\nkato\tyes\nsal\tno\nver\tyes\n"
	train := file("train.tsv", good)
	long := file("long.tsv", good+strings.Repeat("kato ", 40)+"\tno\n")
	pretrained := p.taskModel(t, models.ForPreTraining, "")
	for _, test := range []struct {
		train string
		more  []string
		want  []string
	}{
		{p.path("nowhere.tsv"), nil, []string{"nowhere.tsv", "no such file"}},
		{file("empty.tsv", ""), nil, []string{"empty.tsv", "no example"}},
		{file("header.tsv", "sentence\tlabel\n"), nil, []string{"header.tsv", "no example"}},
		{file("column.tsv", "sentence\tclass\nkato\tyes\n"), nil, []string{"column.tsv:1", "column of the label", `"class"`}},
		{file("columns.tsv", good+"only one\n"), nil, []string{"columns.tsv:5", "1 columns, want 2"}},
		{file("utf8.tsv", good+"\xff\tno\n"), nil, []string{"utf8.tsv:5", "UTF-8"}},
		{file("one.tsv", "sentence\tlabel\nkato\tyes\nsal\tyes\n"), nil, []string{`all training examples have the label "yes"`}},
		{train, []string{"--dev", file("dev.tsv", "sentence\tlabel\nkato\tyes\nsal\tmaybe\n")}, []string{"dev.tsv:3", `label "maybe" is unknown`, `"no", "yes"`}},
		{train, []string{"--labels", file("labels.txt", "no\nyes\nmaybe\n")}, []string{`label "maybe" has no training example`}},
		{train, []string{"--labels", file("short.txt", "yes\n")}, []string{"train.tsv:3", `label "no" is unknown`}},
		{train, []string{"--labels", file("twice.txt", "yes\nno\nyes\n")}, []string{"twice.txt:3", `label "yes" is already in line 1`}},
		{train, []string{"--labels", p.path("nolabels.txt")}, []string{"nolabels.txt", "no such file"}},
		{train, []string{"--max-length", "40"}, []string{"max-length is 40, the model has 32 positions"}},
		{train, []string{"--label-weights", "maybe=2"}, []string{`label weight "maybe=2" is of no label, want one of no, yes`}},
		{train, []string{"--metric", "f2", "--dev", train}, []string{`metric is "f2", want one of accuracy`}},
		{train, []string{"--dev-share", "0.01"}, []string{"leaves none on one side"}},
		{train, []string{"--warmup-steps", "50"}, []string{"warm-up is 50 steps, the run has 2"}},
		{train, []string{"--task", "regression"}, []string{"train.tsv:2", `the value is "yes", want a finite number`}},
		{train, []string{"--task", "similarity", "--freeze", "--pair-column", "label", "--label-column", "label"}, []string{"train.tsv:2", `"yes"`}},
		{train, []string{"--task", "tokens"}, []string{"train.tsv:1", `tag is "label"`}},
		{train, []string{"--task", "question-answering"}, []string{"train.tsv", "want the JSON of SQuAD"}},
		{train, []string{"--task", "multiple-choice"}, []string{"train.tsv:1", "not a JSON object"}},
		{long, []string{"--no-truncate"}, []string{"long.tsv:5", "want at most 32"}},
	} {
		arguments := []string{"finetune", "--task", "classification", "--model", pretrained, "--train", test.train, "--steps", "2", "--out", p.path("run")}
		albert(t, "", append(arguments, test.more...)...).fails(t, test.want...)
		if holdsFinetuning(p.path("run")) {
			t.Fatalf("%v left a run behind", test.more)
		}
	}

	skipped := []string{"finetune", "--task", "classification", "--model", pretrained, "--train", p.path("columns.tsv"), "--skip-bad",
		"--dev", train, "--steps", "2", "--out", p.path("run"), "--json"}
	r := albert(t, "", skipped...)
	var trained finetuned
	decode(t, r.stdout, &trained)
	if trained.Bad != 1 || trained.Examples != 3 || !strings.Contains(r.stderr, "1 examples were left out; the first: tasks: "+p.path("columns.tsv")+":5") {
		t.Errorf("with --skip-bad: %+v", r)
	}
	albert(t, "", skipped...).fails(t, "holds a run already", "--resume")
	albert(t, "", "finetune", "--out", p.path("run"), "--resume", "--learning-rate", "1").fails(t, "learning-rate is 1, the checkpoint was made with")
	albert(t, "", "finetune", "--out", p.path("run"), "--resume", "--train", long).fails(t, "the examples are not what the checkpoint was trained on")
	albert(t, "", "finetune", "--out", p.path("nowhere"), "--resume").fails(t, "nowhere holds no run of albert finetune")
	r = albert(t, "", "finetune", "--task", "classification", "--model", pretrained, "--train", long, "--steps", "2", "--out", p.path("long"))
	if r.code != 0 || !strings.Contains(r.stderr, "1 of 4 examples are too long for the model") || !strings.Contains(r.stderr, "there are no dev examples") {
		t.Errorf("a long example: %+v", r)
	}

	for _, arguments := range [][]string{
		{"--task", "classification"}, {"--task", "poetry", "--model", pretrained, "--train", train},
		{"--task", "classification", "--train", train, "--preset", "albert-tiny"},
		{"--task", "classification", "--train", train, "--preset", "albert-tiny", "--model", pretrained},
		{"--task", "classification", "--train", train, "--model", pretrained, "--epochs", "1", "--steps", "1"},
		{"--task", "classification", "--train", train, "--model", pretrained, "--seeds", "1,1"},
		{"--task", "classification", "--model", pretrained, "--data", ""},
	} {
		r := albert(t, "", append([]string{"finetune", "--out", p.path("usage")}, arguments...)...)
		if r.code != exitUsage || !strings.Contains(r.stderr, "usage: albert finetune") {
			t.Errorf("%v: exit code %d, %q; want %d and the usage", arguments, r.code, r.stderr, exitUsage)
		}
	}
}

// Data sets whose layout is known are found by their directory.
func TestKnownLayouts(t *testing.T) {
	p := newProject(t)
	folder := p.path("glue/SST-2")
	if err := os.MkdirAll(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	rows := "sentence\tlabel\n"
	for i, s := range sentencesOf(12) {
		rows += fmt.Sprintf("%s\t%d\n", s, i%2)
	}
	write(t, folder+"/train.tsv", rows)
	write(t, folder+"/dev.tsv", rows)
	data := p.path("glue")
	var trained finetuned
	decode(t, must(t, "finetune", "--task", "glue/sst2", "--data", data, "--config", p.config, "--tokenizer", p.vocabulary, "--steps", "4",
		"--batch", "4", "--out", p.path("sst2"), "--json"), &trained)
	var found taskEvaluation
	decode(t, must(t, "eval", p.path("sst2/model"), "--task", "glue/sst2", "--data", data, "--json"), &found)
	if got, want := found.Engines[0].Scores, trained.Runs[0].Scores; !slices.Equal(got, want) || found.Task != "glue/sst2" {
		t.Errorf("eval gives %v, the training %v", got, want)
	}
	albert(t, "", "finetune", "--task", "glue/cola", "--data", p.path("glue"), "--config", p.config, "--tokenizer", p.vocabulary,
		"--out", p.path("cola")).fails(t, "has none of train.tsv", "the part train of glue/cola")
}
