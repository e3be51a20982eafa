package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"goalbert/export"
	"goalbert/models"
	"goalbert/onnx"
	"goalbert/parity"
	"goalbert/runtime/ort"
)

// One bit of one weight of a file of any form: exit code 1, and the tensor is named.
func TestParityExitCodeOfEveryForm(t *testing.T) {
	dir := checkpointOf(t, models.ForPreTraining)
	w, err := models.ReadCheckpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	const tensor = "albert.embeddings.word_embeddings.weight"
	for _, o := range export.Cells() {
		file := filepath.Join(t.TempDir(), "model.onnx")
		if err := export.Write(file, w, o); err != nil {
			t.Fatal(err)
		}
		m, err := onnx.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		changed := 0
		for _, i := range m.Graph.Initializer {
			if strings.HasPrefix(i.Name, tensor) && changed == 0 {
				i.RawData[len(i.RawData)/2] ^= 1
				changed++
			}
		}
		if changed == 0 {
			t.Fatalf("%s: the file has no %s", o.Form(), tensor)
		}
		if err := models.WriteFile(file, func(w io.Writer) error { return onnx.Write(w, m) }); err != nil {
			t.Fatal(err)
		}
		r := albert(t, "", "parity", dir, file)
		r.fails(t, "do not compute what the checkpoint does")
		if !strings.Contains(r.stdout, "MISMATCH") || !strings.Contains(r.stdout, tensor) {
			t.Errorf("%s: the report does not name the tensor:\n%s", o.Form(), r.stdout)
		}
	}
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
	if len(r.Models) != 1 || len(r.Models[0].Exports) != 2*cells || !r.OK() || len(r.NotRun) != 2*(cells-1) {
		t.Errorf("%d models, %d exports, %d not run: %s", len(r.Models), len(r.Models[0].Exports), len(r.NotRun), r.Verdict())
	}
	if text, err := os.ReadFile(page); err != nil || !strings.Contains(string(text), r.Models[0].Exports[0].SHA256) {
		t.Errorf("the page of %d bytes has not the file's SHA-256, error %v", len(text), err)
	}
	file := filepath.Join(folder, "out", "model.onnx")
	must(t, "export", dir, "--out", file, "--layers", "loop")
	if r := albert(t, "", "parity", dir, file, "--tensors"); r.code != 0 || !strings.Contains(r.stderr, "no intermediate values among its outputs") ||
		!strings.Contains(r.stdout, "worst layers.") {
		t.Errorf("exit code %d, %s\n%s", r.code, r.stderr, r.stdout)
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
	} {
		if r := albert(t, "", append([]string{"parity"}, arguments...)...); r.code != exitUsage || !strings.Contains(r.stderr, want) {
			t.Errorf("%v: exit code %d, %s", arguments, r.code, r.stderr)
		}
	}
}
