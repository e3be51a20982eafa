package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"goalbert/models"
	"goalbert/tasks"
)

// taskModel writes a checkpoint of random weights for a task, with the project's vocabulary.
func (p project) taskModel(t *testing.T, a models.Architecture, problem models.ProblemType, labels ...string) string {
	t.Helper()
	c, err := models.ParseConfig([]byte(tinyConfig))
	if err != nil {
		t.Fatal(err)
	}
	c.Architecture, c.ProblemType, c.InitializerRange = a, problem, 0.2
	if labels != nil {
		c.Labels = models.NewLabels(labels...)
	}
	w := models.NewWeights(c)
	w.Initialize(7)
	dir := filepath.Join(t.TempDir(), "model")
	if err := models.WriteDirectory(dir, w.WriteFiles); err != nil {
		t.Fatal(err)
	}
	vocabulary, err := os.ReadFile(filepath.Join(p.vocabulary, "spiece.model"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "spiece.model"), string(vocabulary))
	return dir
}

// The kind of answer follows from the model, a checkpoint or a file; each line has one, as text and as JSON.
func TestPredict(t *testing.T) {
	p := newProject(t)
	for _, test := range []struct {
		architecture models.Architecture
		problem      models.ProblemType
		labels       []string
		input        string // two lines
		keys         []string
	}{
		{models.ForSequenceClassification, models.SingleLabel, []string{"bad", "fine", "good"},
			"kato end.\nsal ver\tdo pin\n", []string{"label", "probabilities"}},
		{models.ForSequenceClassification, models.MultiLabel, []string{"bad", "fine", "good"},
			"kato end.\n\n", []string{"probabilities"}},
		{models.ForSequenceClassification, models.Regression, []string{"LABEL_0"},
			"kato end.\tkato\nsal\tver\n", []string{"value"}},
		{models.ForTokenClassification, "", []string{"O", "B-PER", "I-PER"}, "kato end.\nsal ver do\n", []string{"labels"}},
		{models.ForQuestionAnswering, "", nil, "kato?\tsal ver kato end.\nsal?\tver\n", []string{"answer", "n_best"}},
		{models.ForMultipleChoice, "", nil, "kato\tsal\tver\tdo\n\tsal\tver\n", []string{"choice", "probabilities"}},
		{models.BaseModel, "", nil, "kato\tsal\nver\tver\n", []string{"value", "embeddings"}},
	} {
		dir := p.taskModel(t, test.architecture, test.problem, test.labels...)
		file := filepath.Join(t.TempDir(), "out", "model.onnx")
		must(t, "export", dir, "--out", file)
		natively := albert(t, test.input, "predict", dir)
		exported := albert(t, test.input, "predict", file, "--engine", "onnx-go")
		if natively.code != 0 || natively.stdout != exported.stdout || strings.Count(natively.stdout, "\n") != 2 {
			t.Errorf("%s %s: natively %+v, in onnx-go %+v; want the same two lines", test.architecture, test.problem, natively, exported)
		}
		asJSON := albert(t, test.input, "predict", file, "--engine", "onnx-go", "--json")
		lines := strings.Split(strings.TrimSpace(asJSON.stdout), "\n")
		for _, line := range lines {
			var answer map[string]any
			decode(t, line, &answer)
			for _, key := range test.keys {
				if answer[key] == nil {
					t.Errorf("%s %s: %s has no %s", test.architecture, test.problem, line, key)
				}
			}
		}
		if len(lines) != 2 {
			t.Errorf("%s: %d objects, want 2: %s", test.architecture, len(lines), asJSON.stdout)
		}
	}
}

// Lines that are there at once are answered together, and so are examples of a file: always with the same answers.
func TestPredictInChunks(t *testing.T) {
	p := newProject(t)
	dir := p.taskModel(t, models.ForSequenceClassification, models.SingleLabel, "bad", "good")
	sentences := strings.Split(strings.ReplaceAll(text(40), "\n\n", "\n"), "\n")
	input := strings.Join(sentences[:100], "\n")
	one := albert(t, input, "predict", dir)
	write(t, p.path("texts.txt"), input)
	if file := must(t, "predict", dir, "--data", p.path("texts.txt")); file != one.stdout || strings.Count(file, "\n") != 100 {
		t.Errorf("got %d lines of a file, other than those of standard input", strings.Count(file, "\n"))
	}
	if alone := must(t, "predict", dir, sentences[70]); alone != strings.Split(one.stdout, "\n")[70]+"\n" {
		t.Errorf("alone %q, among others %q", alone, strings.Split(one.stdout, "\n")[70])
	}
}

// What is chosen has its own probability, although no answer is more probable where a threshold keeps it from being chosen.
func TestPredictTheAnswersProbability(t *testing.T) {
	null, span := 0.7, 0.3
	answer := "abc"
	p := &tasks.Prediction{Answer: &answer, Probability: &span, NBest: []tasks.Candidate{{Probability: null}, {Text: answer, Probability: span}}}
	if got := answerText(&tasks.Example{}, p); got != "abc\t0.3000" {
		t.Errorf("got %q", got)
	}
}

// The answers to a file are written as they come, and as SQuAD and GLUE take them.
func TestPredictSubmissions(t *testing.T) {
	p := newProject(t)
	questions := p.taskModel(t, models.ForQuestionAnswering, "")
	write(t, p.path("squad.json"), `{"data":[{"title":"A","paragraphs":[{"context":"sal ver kato end.","qas":[
		{"id":"one","question":"kato?"},{"id":"two","question":"ver?"}]}]}]}`)
	var answers map[string]string
	decode(t, must(t, "predict", questions, "--data", p.path("squad.json"), "--format", "squad"), &answers)
	for i, id := range []string{"one", "two"} {
		line := albert(t, "", "predict", questions, []string{"kato?", "ver?"}[i]+"\tsal ver kato end.").stdout
		if text, _, _ := strings.Cut(line, "\t"); answers[id] != text || len(answers) != 2 {
			t.Errorf("%v, %s has the answer %q", answers, id, text)
		}
	}
	classes := p.taskModel(t, models.ForSequenceClassification, models.SingleLabel, "bad", "good")
	var rows, want strings.Builder
	rows.WriteString("sentence\n")
	want.WriteString("index\tprediction\n")
	sentences := strings.Fields(strings.Repeat("kato sal ver do ", fileExamples/3)) // more than are answered at once
	for _, s := range sentences {
		rows.WriteString(s + "\n")
	}
	write(t, p.path("test.tsv"), rows.String())
	for i, line := range strings.Split(strings.TrimSpace(albert(t, strings.Join(sentences, "\n"), "predict", classes).stdout), "\n") {
		label, _, _ := strings.Cut(line, "\t")
		fmt.Fprintf(&want, "%d\t%s\n", i, label)
	}
	if got := must(t, "predict", classes, "--data", p.path("test.tsv"), "--format", "glue"); got != want.String() {
		t.Errorf("got %d bytes, want %d", len(got), want.Len())
	}
	// lines before a bad one are there
	write(t, p.path("bad.tsv"), rows.String()+"a\tb\n")
	r := albert(t, "", "predict", classes, "--data", p.path("bad.tsv"))
	if r.fails(t, "bad.tsv:", "2 columns, want 1"); strings.Count(r.stdout, "\n") != fileExamples {
		t.Errorf("%d lines before the bad one, want %d", strings.Count(r.stdout, "\n"), fileExamples)
	}
	for _, arguments := range [][]string{
		{classes, "--format", "glue"}, {classes, "--format", "csv", "--data", "x"}, {classes, "--format", "squad", "--data", p.path("test.tsv")},
		{classes, "--format", "glue", "--skip-bad", "--data", p.path("test.tsv")}, {classes, "--format", "glue", "--json", "--data", "x"},
	} {
		if r := albert(t, "", append([]string{"predict"}, arguments...)...); r.code != exitUsage {
			t.Errorf("%v: %+v, want exit code %d", arguments, r, exitUsage)
		}
	}
}

func TestPredictRefuses(t *testing.T) {
	p := newProject(t)
	answers := p.taskModel(t, models.ForQuestionAnswering, "")
	albert(t, "kato?\tsal\nkato?\n", "predict", answers).fails(t, "standard input, line 2", "a question and a passage")
	albert(t, "", "predict", answers, "--task", "classification", "kato").fails(t, "the model is an AlbertForQuestionAnswering",
		"task classification wants an AlbertForSequenceClassification")
	albert(t, "", "predict", answers, "--max-length", "33", "a\tb").fails(t, "max-length is 33, the model has 32 positions")
	albert(t, "", "predict", p.taskModel(t, models.ForPreTraining, ""), "kato").fails(t, "answers no task; fine-tune it first")
	albert(t, "", "predict", p.taskModel(t, models.BaseModel, ""), "kato").fails(t, "text 1: one sentence, want two", "albert embed")
	classes := p.taskModel(t, models.ForSequenceClassification, models.SingleLabel, "bad", "good")
	long := strings.Repeat("kato ", 40)
	albert(t, "end.\n"+long, "predict", classes, "--no-truncate").fails(t, "standard input, line 2", "want at most 32")
	if r := albert(t, long, "predict", classes); r.code != 0 || !strings.Contains(r.stderr, "1 of 1 examples are too long") {
		t.Errorf("a long text: %+v; want an answer, and a note", r)
	}
}

// Embeddings are the same as JSON and for NumPy, natively and in an engine, of any checkpoint; they have length 1.
func TestEmbedAndSimilar(t *testing.T) {
	p := newProject(t)
	dir, file := p.taskModel(t, models.BaseModel, ""), p.path("out/model.onnx")
	must(t, "export", dir, "--out", file, "--sentence-embedding")
	input := "kato end.\nsal ver do\nlu est\n"
	var rows [][]float32
	for line := range strings.Lines(albert(t, input, "embed", dir).stdout) {
		var e embedded
		decode(t, line, &e)
		rows = append(rows, e.Embedding)
	}
	if len(rows) != 3 || len(rows[0]) != 32 {
		t.Fatalf("got %d embeddings", len(rows))
	}
	if r := albert(t, input, "embed", file, "--engine", "onnx-go", "--out", p.path("vectors.npy")); r.code != 0 {
		t.Fatal(r.stderr)
	}
	content, err := os.ReadFile(p.path("vectors.npy"))
	if err != nil {
		t.Fatal(err)
	}
	header := 10 + int(binary.LittleEndian.Uint16(content[8:]))
	if string(content[:8]) != "\x93NUMPY\x01\x00" || header%64 != 0 || len(content) != header+4*3*32 ||
		!strings.Contains(string(content[:header]), "'shape': (3, 32)") {
		t.Fatalf("%d bytes, header %q", len(content), content[:min(header, len(content))])
	}
	for i, row := range rows {
		squares := 0.0
		for j, v := range row {
			squares += float64(v) * float64(v)
			got := math.Float32frombits(binary.LittleEndian.Uint32(content[header+4*(i*32+j):]))
			if math.Abs(float64(got-v)) > 1e-5 {
				t.Errorf("embedding %d, number %d is %v in onnx-go and %v natively", i, j, got, v)
			}
		}
		if math.Abs(squares-1) > 1e-5 {
			t.Errorf("embedding %d has length %v", i, math.Sqrt(squares))
		}
	}

	write(t, p.path("sentences.txt"), "sal ver do\n\nkato end.\nlu est\n")
	for _, model := range []string{dir, file, p.taskModel(t, models.ForPreTraining, "")} {
		arguments := []string{"similar", model, p.path("sentences.txt"), "--query", "Kato end.", "--top", "2", "--json"}
		if model == file {
			arguments = append(arguments, "--engine", "onnx-go")
		}
		var found similar
		decode(t, must(t, arguments...), &found)
		if len(found.Nearest) != 2 || found.Nearest[0].Line != 3 || found.Nearest[0].Text != "kato end." ||
			math.Abs(found.Nearest[0].Cosine-1) > 1e-5 || found.Nearest[1].Cosine >= found.Nearest[0].Cosine {
			t.Errorf("nearest in %s are %+v, want line 3 first", model, found.Nearest)
		}
	}
	lines := must(t, "similar", dir, p.path("sentences.txt"), "--query", "kato", "--query", "lu", "--json")
	if strings.Count(lines, "\n") != 2 || !strings.HasPrefix(lines, `{"query":"kato",`) || !strings.Contains(lines, "}\n{\"query\":\"lu\",") {
		t.Errorf("two queries are answered with %q, want a line of JSON each", lines)
	}
	albert(t, "", "predict", dir, "--data", p.path("sentences.txt")).fails(t, "sentences.txt", "one sentence, want two")
	if r := albert(t, "lu est\n", "similar", dir, p.path("sentences.txt"), "--top", "1"); r.stdout != "lu est\n  1.0000  lu est\n" {
		t.Errorf("got %+v", r)
	}
	write(t, p.path("empty.txt"), "\n")
	albert(t, "", "similar", dir, p.path("empty.txt"), "--query", "x").fails(t, "empty.txt has no sentence")
	other := p.path("other/model.onnx")
	must(t, "export", p.taskModel(t, models.ForSequenceClassification, "", "a", "b"), "--out", other)
	albert(t, "", "embed", other, "--engine", "onnx-go", "x").fails(t, "whose outputs are no embeddings", "--sentence-embedding")
}

// The scores of a checkpoint and of its file are the same; a model of other weights does not agree.
func TestEvalOfATask(t *testing.T) {
	p := newProject(t)
	dir := p.taskModel(t, models.ForSequenceClassification, models.SingleLabel, "bad", "good")
	file := p.path("out/model.onnx")
	must(t, "export", dir, "--out", file)
	var b strings.Builder
	for i, line := range strings.Split(strings.ReplaceAll(text(20), "\n\n", "\n"), "\n")[:50] {
		b.WriteString(line + "\t" + []string{"bad", "good"}[i%2] + "\n")
	}
	write(t, p.path("dev.tsv"), "sentence\tlabel\n"+b.String())
	var natively, exported taskEvaluation
	decode(t, must(t, "eval", dir, "--data", p.path("dev.tsv"), "--json"), &natively)
	decode(t, must(t, "eval", file, "--engine", "onnx-go", "--task", "classification", "--data", p.path("dev.tsv"), "--agree-with", dir,
		"--predictions", p.path("predictions.jsonl"), "--json"), &exported)
	if natively.Examples != 50 || len(natively.Engines) != 1 || natively.Engines[0].Engine != "native" {
		t.Fatalf("got %+v", natively)
	}
	if len(exported.Engines) != 2 || exported.Engines[1].Agreement.Same != 50 || !*exported.Engines[1].Agrees {
		t.Errorf("got %+v", exported)
	}
	want, err := json.Marshal(natively.Engines[0].Scores)
	if err != nil {
		t.Fatal(err)
	}
	right := 0
	predictions, err := os.ReadFile(p.path("predictions.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSpace(string(predictions)), "\n") {
		var answer struct{ Label string }
		decode(t, line, &answer)
		if answer.Label == []string{"bad", "good"}[i%2] {
			right++
		}
	}
	if s := natively.Engines[0].Scores[0]; s.Name != "accuracy" || s.Value != float64(right)/50 {
		t.Errorf("the first score is %v, want an accuracy of %v", s, float64(right)/50)
	}
	for _, r := range exported.Engines {
		if got, _ := json.Marshal(r.Scores); string(got) != string(want) {
			t.Errorf("%s gives %s, want %s", r.Engine, got, want)
		}
	}

	w, err := models.ReadCheckpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range w.Tensor(w.Parameters.Classifier.Weight) { // the other label, everywhere
		w.Tensor(w.Parameters.Classifier.Weight)[i] = -v
	}
	other := p.path("elsewhere")
	if err := models.WriteDirectory(other, w.WriteFiles); err != nil {
		t.Fatal(err)
	}
	vocabulary, err := os.ReadFile(filepath.Join(dir, "spiece.model"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(other, "spiece.model"), string(vocabulary))
	r := albert(t, "", "eval", file, "--engine", "onnx-go", "--data", p.path("dev.tsv"), "--agree-with", other)
	r.fails(t, "does not predict what", "elsewhere", "does")
	if !strings.Contains(r.stdout, "DIFFERS") {
		t.Errorf("it said %q", r.stdout)
	}
	write(t, p.path("unknown.tsv"), "sentence\tlabel\nkato\tgood\nsal\tugly\n")
	albert(t, "", "eval", dir, "--data", p.path("unknown.tsv")).fails(t, "unknown.tsv:3", `label "ugly" is unknown`, `"bad", "good"`)
	write(t, p.path("column.tsv"), "sentence\tclass\nkato\tgood\n")
	albert(t, "", "eval", dir, "--data", p.path("column.tsv")).fails(t, "column.tsv:1", "label", "class")
	albert(t, "", "eval", dir, "--data", p.path("dev.tsv"), "--task", "tokens").fails(t, "task tokens wants an AlbertForTokenClassification")
	albert(t, "", "eval", dir, "--data", p.path("")).fails(t, "have no fixed names")
}
