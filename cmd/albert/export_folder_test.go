package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"goalbert/models"
)

// contents are those of the files of a folder.
func contents(t *testing.T, folder string) map[string]string {
	t.Helper()
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(folder, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[f.Name()] = string(data)
	}
	return all
}

// stays fails if a folder has other files than before.
func stays(t *testing.T, folder string, before map[string]string) {
	t.Helper()
	after := contents(t, folder)
	if len(after) != len(before) {
		t.Errorf("%s has %d files, had %d", folder, len(after), len(before))
	}
	for name, data := range before {
		if after[name] != data {
			t.Errorf("%s was changed", filepath.Join(folder, name))
		}
	}
}

// An export writes an .onnx file and overwrites nothing of the checkpoint, by whatever name.
func TestExportKeepsTheCheckpoint(t *testing.T) {
	dir := checkpointOf(t, models.ForMaskedLM)
	before := contents(t, dir)
	for _, name := range []string{"model.safetensors", "config.json", "model", "model.ONNX"} {
		r := albert(t, "", "export", dir, "--out", filepath.Join(dir, name))
		if r.code != exitUsage || !strings.Contains(r.stderr, "want the name of an .onnx file") {
			t.Errorf("%s: %+v", name, r)
		}
	}
	stays(t, dir, before)
	for _, name := range []string{"linked.onnx", "linked.onnx.data"} {
		folder := t.TempDir()
		if err := os.Link(filepath.Join(dir, "model.safetensors"), filepath.Join(folder, name)); err != nil {
			t.Skip(err)
		}
		albert(t, "", "export", dir, "--out", filepath.Join(folder, "linked.onnx"), "--external-data").fails(t, "which would be overwritten", "model.safetensors")
	}
	stays(t, dir, before)
	for range 2 { // into the checkpoint, and again
		must(t, "export", dir, "--out", filepath.Join(dir, "model.onnx"))
	}
}

// Two files of one folder have one configuration and one vocabulary, or the second is refused before anything is written; a
// file may be replaced by that of another checkpoint where it is alone.
func TestExportBesideAnother(t *testing.T) {
	p := newProject(t)
	first := p.taskModel(t, models.ForSequenceClassification, models.SingleLabel, "bad", "good")
	folder := filepath.Join(t.TempDir(), "deploy")
	model, other := filepath.Join(folder, "model.onnx"), filepath.Join(folder, "other.onnx")
	must(t, "export", first, "--out", model)
	must(t, "export", first, "--out", other, "--precision", "fp16")
	before := contents(t, folder)

	labels := p.taskModel(t, models.ForSequenceClassification, models.SingleLabel, "good", "bad")
	albert(t, "", "export", labels, "--out", other).fails(t, filepath.Join(folder, "config.json"), "is that of "+model+" too", "choose another folder")
	write(t, filepath.Join(folder, "model.safetensors"), "weights")
	if err := os.Remove(other); err != nil {
		t.Fatal(err)
	}
	albert(t, "", "export", labels, "--out", model).fails(t, "is that of "+filepath.Join(folder, "model.safetensors")+" too")
	if err := os.Remove(filepath.Join(folder, "model.safetensors")); err != nil {
		t.Fatal(err)
	}

	vocabulary := p.taskModel(t, models.ForSequenceClassification, models.SingleLabel, "bad", "good")
	corpus, trained := filepath.Join(t.TempDir(), "other.txt"), filepath.Join(t.TempDir(), "vocabulary")
	write(t, corpus, text(40))
	must(t, "tokenizer", "train", corpus, "--vocab-size", "150", "--out", trained)
	pieces, err := os.ReadFile(filepath.Join(trained, "spiece.model"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(vocabulary, "spiece.model"), string(pieces))
	albert(t, "", "export", vocabulary, "--out", other).fails(t, filepath.Join(folder, "spiece.model"), "is that of "+model+" too")
	if err := os.Remove(filepath.Join(vocabulary, "spiece.model")); err != nil {
		t.Fatal(err)
	}
	albert(t, "", "export", vocabulary, "--out", model).fails(t, filepath.Join(folder, "spiece.model"), "is not of the checkpoint", "or remove it")
	delete(before, "other.onnx")
	stays(t, folder, before)

	write(t, filepath.Join(vocabulary, "spiece.model"), string(pieces))
	must(t, "export", vocabulary, "--out", model)
	must(t, "predict", model, "kato end.", "--engine", "onnx-go")
	write(t, filepath.Join(folder, "spiece.model"), before["spiece.model"])
	albert(t, "", "predict", model, "kato end.", "--engine", "onnx-go").fails(t, model+" was exported with another vocabulary than "+filepath.Join(folder, "spiece.model"))
}
