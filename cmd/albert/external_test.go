package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"goalbert/models"
)

// A model with its weights in a second file is inspected, compared and run as one in a single file; without the second
// file, or with a damaged one, it is not.
func TestExternalData(t *testing.T) {
	dir := checkpointOf(t, models.ForMaskedLM)
	file := filepath.Join(t.TempDir(), "out", "model.onnx")
	var written struct {
		File, Data string
		Bytes      int64
	}
	if err := json.Unmarshal([]byte(must(t, "export", dir, "--out", file, "--external-data", "--json")), &written); err != nil {
		t.Fatal(err)
	}
	model, data := stat(file), stat(file+".data")
	if data == nil || written.Data != file+".data" || written.Bytes != model.Size()+data.Size() {
		t.Fatalf("export says %+v", written)
	}
	if text := must(t, "inspect", file); !strings.Contains(text, "word_embeddings.weight FLOAT [150 16] in model.onnx.data") {
		t.Errorf("inspect says\n%.500s", text)
	}
	albert(t, "", "parity", dir, file, "--engine", "onnx-go").fails(t, "lies in another file", "export the model without external data")
	hasLibrary := !strings.Contains(albert(t, "", "doctor", "--json").stdout, `"library": null`)
	if hasLibrary {
		must(t, "parity", dir, file, "--engine", "onnxruntime")
	}
	content, err := os.ReadFile(file + ".data")
	if err != nil {
		t.Fatal(err)
	}
	content[4097] ^= 0x40 // of the first tensor that begins at a page, after the word embeddings
	write(t, file+".data", string(content))
	if r := albert(t, "", "parity", dir, file, "--engine", "onnxruntime"); r.code != exitError || !strings.Contains(r.stdout, "MISMATCH") {
		t.Errorf("a damaged second file: exit code %d, report\n%s", r.code, r.stdout)
	}
	write(t, file+".data", string(content[:5000]))
	for _, arguments := range [][]string{{"inspect", file}, {"parity", dir, file}} {
		albert(t, "", arguments...).fails(t, file, `"model.onnx.data", which has 5000; export the model again`)
	}
	if err := os.Remove(file + ".data"); err != nil {
		t.Fatal(err)
	}
	albert(t, "", "parity", dir, file).fails(t, file, `"model.onnx.data"`, "keep the files of a model together")

	// From the threshold on it is two files, below it one, and the other's second file is away.
	must(t, "export", dir, "--out", file, "--external-threshold", "1000")
	if stat(file+".data") == nil {
		t.Error("above the threshold there is no second file")
	}
	must(t, "export", dir, "--out", file)
	if stat(file+".data") != nil {
		t.Error("the second file of the earlier export is left")
	}
	if r := albert(t, "", "export", dir, "--out", file, "--external-threshold", "0"); r.code != exitUsage {
		t.Errorf("a threshold of 0: exit code %d, %s", r.code, r.stderr)
	}
}
