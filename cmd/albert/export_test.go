package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"goalbert/models"
	"goalbert/parity"
	"goalbert/runtime/ort"
)

// checkpointOf writes random weights of an architecture, without a vocabulary.
func checkpointOf(t *testing.T, a models.Architecture) string {
	t.Helper()
	c, err := models.ParseConfig([]byte(tinyConfig))
	if err != nil {
		t.Fatal(err)
	}
	c.Architecture = a
	w := models.NewWeights(c)
	w.Initialize(5)
	dir := filepath.Join(t.TempDir(), "checkpoint")
	if err := models.WriteDirectory(dir, w.WriteFiles); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Every head, exported by the checkpoint's architecture, is what the checkpoint computes.
func TestExportOfEveryHead(t *testing.T) {
	for _, a := range models.Architectures() {
		dir := checkpointOf(t, a)
		out := filepath.Join(t.TempDir(), "out", "model.onnx")
		arguments := []string{"export", dir, "--out", out, "--json"}
		if a == models.BaseModel {
			arguments = append(arguments, "--sentence-embedding")
		}
		var written struct{ Task models.Task }
		decode(t, must(t, arguments...), &written)
		if written.Task != a.Task() {
			t.Errorf("%s was exported for %s, want %s", a, written.Task, a.Task())
		}
		report := must(t, "parity", dir, out, "--engine", "onnx-go")
		for _, name := range a.Outputs() {
			if !strings.Contains(report, name) {
				t.Errorf("the report of %s does not name %s:\n%s", a, name, report)
			}
		}
		if has := strings.Contains(report, models.SentenceEmbedding); has != (a == models.BaseModel) {
			t.Errorf("the report of %s is wrong about the sentence embedding:\n%s", a, report)
		}
	}
}

// A task other than the checkpoint's own: the folder's configuration names what the file is, the checkpoint stays.
func TestExportForAnotherTask(t *testing.T) {
	dir := checkpointOf(t, models.ForPreTraining)
	folder := filepath.Join(t.TempDir(), "features")
	file := filepath.Join(folder, "model.onnx")
	must(t, "export", dir, "--out", file, "--task", "feature-extraction")
	for path, want := range map[string]models.Architecture{folder: models.BaseModel, dir: models.ForPreTraining} {
		if c, err := models.ReadConfig(path); err != nil || c.Architecture != want {
			t.Errorf("%s is an %s, error %v; want an %s", path, c.Architecture, err, want)
		}
	}
	if report := must(t, "parity", dir, file, "--engine", "onnx-go"); !strings.Contains(report, "pooler_output") {
		t.Errorf("the report says:\n%s", report)
	}
	albert(t, "", "export", dir, "--out", file, "--task", "question-answering").fails(t,
		"an AlbertForPreTraining has no trained qa_outputs.bias, which an AlbertForQuestionAnswering needs")
	albert(t, "", "export", dir, "--out", file, "--sentence-embedding").fails(t, "output of task feature-extraction")
	beside := filepath.Join(dir, "model.onnx")
	albert(t, "", "export", dir, "--out", beside, "--task", "fill-mask").fails(t,
		"config.json is that of the checkpoint", "choose another folder")
	if _, err := os.Stat(beside); err == nil {
		t.Error("a refused export left a file")
	}
	if r := albert(t, "", "export", dir, "--out", file, "--task", "chat"); r.code != exitUsage || !strings.Contains(r.stderr, "pre-training, fill-mask") {
		t.Errorf("got exit code %d and %q", r.code, r.stderr)
	}
}

// The other forms of the layers are what the checkpoint computes too; onnx-go refuses them by name.
func TestExportOfEveryForm(t *testing.T) {
	dir := checkpointOf(t, models.ForMaskedLM)
	for form, want := range map[string]string{"loop": "(Loop)", "function": "functions (AlbertLayer)"} {
		file := filepath.Join(t.TempDir(), "model.onnx")
		must(t, "export", dir, "--out", file, "--layers", form)
		albert(t, "", "parity", dir, file, "--engine", "onnx-go").fails(t, want, "want", "layers unrolled")
		if text := must(t, "inspect", file); !strings.Contains(text, "layers: "+form) {
			t.Errorf("inspect does not say that the layers are a %s:\n%.300s", form, text)
		}
	}
	file := filepath.Join(t.TempDir(), "model.onnx")
	must(t, "export", dir, "--out", file, "--precision", "fp16")
	albert(t, "", "parity", dir, file, "--engine", "onnx-go").fails(t, "FLOAT16", "export the model with precision fp32")
	if r := albert(t, "", "export", dir, "--out", "x.onnx", "--precision", "fp8"); r.code != exitUsage || !strings.Contains(r.stderr, "fp32, fp16, int8 or int4") {
		t.Errorf("got exit code %d and %q", r.code, r.stderr)
	}
	if r := albert(t, "", "export", dir, "--out", "x.onnx", "--layers", "rolled"); r.code != exitUsage || !strings.Contains(r.stderr, "unrolled, loop or function") {
		t.Errorf("got exit code %d and %q", r.code, r.stderr)
	}
}

// Files of whole numbers say what they are; onnx-go refuses them by name, and cells that are not exported are bad usage.
func TestExportOfWholeNumbers(t *testing.T) {
	dir := checkpointOf(t, models.ForMaskedLM)
	file := filepath.Join(t.TempDir(), "model.onnx")
	for want, arguments := range map[string][]string{
		"target: vnni":    {"--precision", "int8", "--target", "vnni"},
		"kept_in_fp32: [": {"--precision", "int8", "--layers", "loop", "--keep", "albert.embeddings.word_embeddings.weight"},
		"precision: int4": {"--precision", "int4"},
	} {
		must(t, append([]string{"export", dir, "--out", file}, arguments...)...)
		if text := must(t, "inspect", file); !strings.Contains(text, want) {
			t.Errorf("inspect does not say %q:\n%.300s", want, text)
		}
		albert(t, "", "parity", dir, file, "--engine", "onnx-go").fails(t, "the model is "+arguments[1], "want fp32: export it with precision fp32")
	}
	if _, err := ort.Find(""); err == nil {
		must(t, "export", dir, "--out", file, "--precision", "int4")
		report := must(t, "parity", dir, file, "--min-agreement", "0")
		if !strings.Contains(report, parity.AgainstHeld) || !strings.Contains(report, "dequantized") {
			t.Errorf("an int4 file is not compared with the weights that it holds:\n%s", report)
		}
	}
	for want, arguments := range map[string][]string{
		"int8 has layers unrolled or loop":            {"--precision", "int8", "--layers", "function"},
		"int4 has layers unrolled":                    {"--precision", "int4", "--layers", "loop"},
		"target is \"avx\", want vnni":                {"--precision", "int8", "--target", "avx"},
		"options of precision int8":                   {"--target", "vnni"},
		"are kept in fp32 of precision int8 and int4": {"--keep", "x"},
	} {
		r := albert(t, "", append([]string{"export", dir, "--out", file}, arguments...)...)
		if r.code != exitUsage || !strings.Contains(r.stderr, want) {
			t.Errorf("got exit code %d and %q, want %d and %q", r.code, r.stderr, exitUsage, want)
		}
	}
	albert(t, "", "export", dir, "--out", file, "--precision", "int4", "--keep", "x").fails(t, `"x", to be kept in fp32, is no matrix`)
}

// What only the masked-LM head can do is refused of a model without it.
func TestVerbsThatNeedTheMaskedLMHead(t *testing.T) {
	p := newProject(t)
	write(t, p.config, strings.Replace(tinyConfig, "AlbertForPreTraining", "AlbertModel", 1))
	albert(t, "", p.pretrain("run", "--steps", "2", "--objective", "none")...).fails(t, "an AlbertModel has no masked-LM head")
	dir := checkpointOf(t, models.ForTokenClassification)
	for _, name := range []string{"spiece.model", "tokenizer_config.json"} {
		data, err := os.ReadFile(filepath.Join(p.vocabulary, name))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name), string(data))
	}
	albert(t, "", "fill-mask", dir, "kato [MASK] end.").fails(t, "an AlbertForTokenClassification has no masked-LM head")
	albert(t, "", "eval", dir, "--corpus", p.corpus).fails(t, "an AlbertForTokenClassification has no masked-LM head")
}
