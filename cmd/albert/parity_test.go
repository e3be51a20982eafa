package main

import (
	"encoding/json"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"goalbert/evaluate"
	"goalbert/export"
	"goalbert/models"
	"goalbert/onnx"
	"goalbert/parity"
	"goalbert/runtime/ort"
	"goalbert/tasks"
)

// One bit of one number of a file of any form, each of another tensor: exit code 1, and the tensor is named.
func TestParityExitCodeOfEveryForm(t *testing.T) {
	dir := checkpointOf(t, models.ForPreTraining)
	w, err := models.ReadCheckpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	for form, o := range export.Cells() {
		file := filepath.Join(t.TempDir(), "model.onnx")
		if err := export.Write(file, w, o); err != nil {
			t.Fatal(err)
		}
		m, err := onnx.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		changed := m.Graph.Initializer[(5*form+3)%len(m.Graph.Initializer)]
		changed.RawData[len(changed.RawData)/2] ^= 1
		if err := models.WriteFile(file, func(w io.Writer) error { return onnx.Write(w, m) }); err != nil {
			t.Fatal(err)
		}
		r := albert(t, "", "parity", dir, file)
		r.fails(t, "do not compute what the checkpoint does")
		if !strings.Contains(r.stdout, "MISMATCH") || !strings.Contains(r.stdout, changed.Name) {
			t.Errorf("%s: the report does not name %s:\n%s", o.Form(), changed.Name, r.stdout)
		}
	}
}

// What else of a file is not the checkpoint's, an error in one file among several, and weights in a second file: by the command.
func TestParityOfFiles(t *testing.T) {
	p := newProject(t)
	labelled := classifierOf(t, p)
	folder := filepath.Join(p.dir, "out")
	good := filepath.Join(folder, "good.onnx")
	must(t, "export", labelled, "--out", good)
	changed := func(name string, change func(*onnx.ModelProto)) string {
		m, err := onnx.ReadFile(good)
		if err != nil {
			t.Fatal(err)
		}
		change(m)
		file := filepath.Join(folder, name)
		if err := models.WriteFile(file, func(w io.Writer) error { return onnx.Write(w, m) }); err != nil {
			t.Fatal(err)
		}
		return file
	}
	set := func(key, value string) func(*onnx.ModelProto) {
		return func(m *onnx.ModelProto) {
			for _, p := range m.MetadataProps {
				if p.Key == key {
					p.Value = value
				}
			}
		}
	}
	truncated := filepath.Join(folder, "truncated.onnx")
	content, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	write(t, truncated, string(content[:len(content)/2]))
	files := []string{
		changed("labels.onnx", set(export.LabelsKey, `["spam","ham"]`)),
		changed("length.onnx", set(export.MaxLengthKey, "512")),
		changed("problem.onnx", set(export.ProblemTypeKey, "multi_label_classification")),
		changed("vocabulary.onnx", set(export.VocabularySHA256Key, "5eed")),
		changed("opset.onnx", func(m *onnx.ModelProto) { m.OpsetImport[0].Version = 17 }),
		truncated,
		filepath.Join(folder, "absent.onnx"),
		good,
	}
	report := filepath.Join(p.dir, "report.json")
	run := albert(t, "", slices.Concat([]string{"parity", labelled}, files, []string{"--engine", "onnx-go", "--report", report})...)
	run.fails(t, "do not compute what the checkpoint does")
	var r parity.Report
	text, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	decode(t, string(text), &r)
	wrong := map[string]string{}
	ran := false
	for _, f := range r.Findings {
		if !f.OK {
			wrong[filepath.Base(f.Export)] += f.Tensor
		}
		ran = ran || f.Export == good && f.Against == nativeEngine && f.OK
	}
	want := map[string]string{
		"labels.onnx": "metadata", "length.onnx": "metadata", "problem.onnx": "metadata", "vocabulary.onnx": "metadata",
		"opset.onnx": "versions", "truncated.onnx": "file", "absent.onnx": "file",
	}
	if !maps.Equal(wrong, want) || !ran {
		t.Errorf("found %v, want %v; the good file was run: %v", wrong, want, ran)
	}
	albert(t, "", "parity", labelled, truncated, good, "--engine", "onnx-go").fails(t, truncated)

	external := filepath.Join(folder, "external.onnx")
	must(t, "export", labelled, "--out", external, "--external-data")
	albert(t, "", "parity", labelled, external, "--engine", "onnx-go").fails(t, "export the model without external data")
	if _, err := ort.Find(""); err != nil {
		t.Skipf("needs ONNX Runtime: %v", err)
	}
	r = parity.Report{}
	decode(t, must(t, "parity", labelled, external, "--json"), &r)
	if e := r.Models[0].Exports[0]; !r.OK() || len(e.Files) != 2 || e.Files[1].Name != "external.onnx.data" || notRun(r, onnxGo) != 1 {
		t.Errorf("got %s, %+v, not run %+v", r.Verdict(), e, r.NotRun)
	}
	if files := r.Models[0].Files; len(files) != 1 || files[0].Name != models.WeightsFile || len(files[0].SHA256) != 64 {
		t.Errorf("the weights are in %+v", files)
	}
}

// Examples with labels are scored natively and by the engine, those without are predicted alone; a score that falls by more than
// is admitted is a mismatch.
func TestParityOfScores(t *testing.T) {
	if _, err := ort.Find(""); err != nil {
		t.Skipf("needs ONNX Runtime: %v", err)
	}
	p := newProject(t)
	checkpoint := classifierOf(t, p)
	data, plain := filepath.Join(p.dir, "dev.tsv"), filepath.Join(p.dir, "plain.tsv")
	labelled, unlabelled := "text\tlabel\n", "text\n"
	for i, sentence := range strings.Split(strings.TrimSpace(text(30)), "\n") {
		if sentence = strings.TrimSpace(sentence); sentence != "" {
			labelled += sentence + "\t" + []string{"ham", "spam"}[i%2] + "\n"
			unlabelled += sentence + "\n"
		}
	}
	write(t, data, labelled)
	write(t, plain, unlabelled)
	for file, want := range map[string]map[string]bool{data: {"predictions of dev.tsv": true, "accuracy of dev.tsv": true}, plain: {"predictions of plain.tsv": true}} {
		var r parity.Report
		run := albert(t, "", "parity", checkpoint, "--precision", "int8", "--engine", "onnxruntime", "--provider", "cpu", "--data", file, "--json")
		decode(t, run.stdout, &r)
		got, saturating := map[string]bool{}, 0
		for _, f := range r.Findings {
			if strings.HasSuffix(f.Tensor, parity.SaturatingName) && f.Elements > 0 {
				saturating++
			}
			if strings.HasSuffix(f.Tensor, filepath.Base(file)) {
				got[f.Tensor] = f.OK
			}
		}
		if !maps.Equal(got, want) || saturating != 2 { // int8 unrolled and in a loop
			t.Errorf("%s: got %v, want %v, and %d of products that may saturate: %s", file, got, want, saturating, run.stderr)
		}
	}

	w, err := models.ReadCheckpoint(checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	c := newParity()
	c.SetContext(t.Context())
	task, err := tasks.New("classification", tasks.Options{Labels: []string{"ham", "spam"}, MaxLength: 24})
	if err != nil {
		t.Fatal(err)
	}
	set, err := tasks.Load(task, true, false, data)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		wrong int // of the examples
		ok    bool
	}{{0, true}, {2, true}, {len(set.Examples) / 4, false}} {
		result := &evaluate.TaskResult{}
		for i, e := range set.Examples {
			label := e.Labels[0]
			if i < test.wrong {
				label = "neither"
			}
			result.Predictions = append(result.Predictions, &tasks.Prediction{Label: label})
		}
		r := &parity.Report{}
		r.AddModel(&parity.Model{}, nil)
		m := &modelProof{proof: &proof{command: c, report: r, engine: &engineOptions{}, examples: &examplesProof{maxDrop: 1}}, weights: w,
			predictions: &predictions{task: task, set: set, name: "dev.tsv", scored: tasks.Scores{{Name: "accuracy", Value: 1}}}}
		if err := m.compareScores(m.reference(w, false), result); err != nil {
			t.Fatal(err)
		}
		if f := r.Findings[0]; f.OK != test.ok || (f.Share <= 1) != test.ok {
			t.Errorf("%d of %d are wrong: %+v", test.wrong, len(set.Examples), f)
		}
	}
}

// classifierOf writes random weights of a classifier with the project's vocabulary.
func classifierOf(t *testing.T, p project) string {
	t.Helper()
	dir := filepath.Join(p.dir, "checkpoint")
	c, err := models.ParseConfig([]byte(tinyConfig))
	if err != nil {
		t.Fatal(err)
	}
	c.Architecture, c.Labels = models.ForSequenceClassification, models.NewLabels("ham", "spam")
	if err := models.WriteDirectory(dir, parity.RandomWeights(c, 6).WriteFiles); err != nil {
		t.Fatal(err)
	}
	vocabulary, err := os.ReadFile(filepath.Join(p.vocabulary, "spiece.model"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "spiece.model"), string(vocabulary))
	return dir
}

// Without a file every form is exported and compared, with intermediate values too; what the pure-Go engine cannot run is
// said, and a file without intermediate values gets a copy that has them.
func TestParityOfEveryForm(t *testing.T) {
	dir := checkpointOf(t, models.BaseModel)
	folder := t.TempDir()
	page := filepath.Join(folder, "parity.html")
	arguments := []string{"parity", dir, "--tensors", "--html", page, "--json"}
	if _, err := ort.Find(""); err != nil {
		arguments = append(arguments, "--engine", "onnx-go", "--precision", "fp32")
		if r := albert(t, "", arguments...); r.code != exitError || !strings.Contains(r.stderr, "no engine that was asked for runs") {
			t.Errorf("got exit code %d, %s", r.code, r.stderr)
		}
		t.Skipf("needs ONNX Runtime: %v", err)
	}
	var r parity.Report
	if err := json.Unmarshal([]byte(must(t, arguments...)), &r); err != nil {
		t.Fatal(err)
	}
	cells := len(export.Cells())
	if len(r.Models) != 1 || len(r.Models[0].Exports) != 2*cells || !r.OK() || notRun(r, onnxGo) != 2*(cells-1) {
		t.Errorf("%d models, %d exports, %d not run: %s", len(r.Models), len(r.Models[0].Exports), len(r.NotRun), r.Verdict())
	}
	if text, err := os.ReadFile(page); err != nil || !strings.Contains(string(text), r.Models[0].Exports[0].Files[0].SHA256) {
		t.Errorf("the page of %d bytes has not the file's SHA-256, error %v", len(text), err)
	}
	file := filepath.Join(folder, "out", "model.onnx")
	must(t, "export", dir, "--out", file, "--layers", "loop")
	if r := albert(t, "", "parity", dir, file, "--tensors"); r.code != 0 || !strings.Contains(r.stderr, "no intermediate values among its outputs") ||
		!strings.Contains(r.stdout, "worst layers.") {
		t.Errorf("exit code %d, %s\n%s", r.code, r.stderr, r.stdout)
	}
}

// notRun counts the files that an engine was left out for.
func notRun(r parity.Report, engine string) (n int) {
	for _, s := range r.NotRun {
		if s.Engine == engine {
			n++
		}
	}
	return n
}

// A variant opens files with its own provider: of a library without CUDA that is what is said, and its name is in the report.
func TestVariantsHaveTheirProvider(t *testing.T) {
	library, err := ort.Find("")
	if err != nil {
		t.Skipf("needs ONNX Runtime: %v", err)
	}
	file := filepath.Join(t.TempDir(), "model.onnx")
	must(t, "export", checkpointOf(t, models.BaseModel), "--out", file)
	c := &cobra.Command{}
	o := engineFlags(c, "", onnxRuntime)
	if err := o.check(); err != nil {
		t.Fatal(err)
	}
	lack := &ort.Lack{What: "a file is missing", Mend: "get it"}
	if list := onCUDA(o, []ort.ProviderFacts{{Provider: ort.CPU, Loadable: true}}); len(list) > 0 {
		t.Errorf("a library without CUDA has the variants %+v", list)
	}
	list := onCUDA(o, []ort.ProviderFacts{{Provider: ort.CUDA, Lack: lack}})
	if len(list) != 1 || !strings.Contains(list[0].cannotRun(export.Options{}, parity.Export{}), "a file is missing; mend: get it") {
		t.Errorf("a library whose CUDA cannot be loaded has the variants %+v", list)
	}
	v := onCUDA(o, []ort.ProviderFacts{{Provider: ort.CUDA, Loadable: true}})[0]
	if v.name() != "onnxruntime (cuda)" || v.lack != "" || o.provider != string(ort.CPU) {
		t.Errorf("got %+v beside %q", v, o.provider)
	}
	facts := ort.Doctor("", ort.CPU).Providers
	session, err := v.options.open(v.engine, file)
	if slices.ContainsFunc(facts, func(f ort.ProviderFacts) bool { return f.Provider == ort.CUDA && f.Loadable }) {
		if err != nil || session.Engine() != "onnxruntime "+library.Version+" (cuda)" {
			t.Errorf("got error %v", err)
		}
	} else if err == nil || !strings.Contains(err.Error(), "provider cuda") {
		t.Errorf("asked for CUDA, which the library has not, got error %v", err)
	}
}

func TestParityUsage(t *testing.T) {
	dir := checkpointOf(t, models.BaseModel)
	for want, arguments := range map[string][]string{
		"no checkpoint before it":                     {"model.onnx"},
		"give a checkpoint, or a preset":              {},
		"want a number from 0 to 1":                   {dir, "--min-agreement", "1.5"},
		`precision is "fp64"`:                         {dir, "--precision", "fp64"},
		`task is "poetry"`:                            {dir, "--task", "poetry"},
		"native is what the others are compared with": {dir, "--engine", "native"},
		"--task is of the forms that are exported":    {dir, "model.onnx", "--task", "fill-mask"},
		"--precision is of the forms that are":        {dir, "model.onnx", "--precision", "int8"},
		"max-drop is -1":                              {dir, "--max-drop", "-1"},
		"--preset has none; leave one of them out":    {"--preset", "albert-tiny", "--data", "x.tsv"},
	} {
		if r := albert(t, "", append([]string{"parity"}, arguments...)...); r.code != exitUsage || !strings.Contains(r.stderr, want) {
			t.Errorf("%v: exit code %d, %s", arguments, r.code, r.stderr)
		}
	}
}
