package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"goalbert/models"
	"goalbert/runtime/ort"
)

// calibrationData writes labelled sentences, and the same without labels.
func (p project) calibrationData(t *testing.T, count int, labels ...string) (labelled, plain string) {
	t.Helper()
	words := strings.Fields("kato sal ver do pin end")
	var tsv, txt strings.Builder
	tsv.WriteString("sentence\tlabel\n")
	for i := range count {
		sentence := fmt.Sprintf("%s %s %s %s.", words[i%6], words[i/6%6], words[i/36%6], words[(i+i/7)%6])
		fmt.Fprintf(&tsv, "%s\t%s\n", sentence, labels[i%len(labels)])
		fmt.Fprintf(&txt, "%s\n", sentence)
	}
	labelled, plain = filepath.Join(t.TempDir(), "data.tsv"), filepath.Join(t.TempDir(), "data.txt")
	write(t, labelled, tsv.String())
	write(t, plain, txt.String())
	return labelled, plain
}

// An int8 file is certified on labels, on texts without them and on random pieces, and says so; one that
// fails is not written, or says that it is not certified.
func TestExportCalibrated(t *testing.T) {
	if _, err := ort.Find(""); err != nil {
		t.Skipf("ONNX Runtime is needed: %v", err)
	}
	p := newProject(t)
	dir := p.taskModel(t, models.ForSequenceClassification, models.SingleLabel, "bad", "good")
	labelled, plain := p.calibrationData(t, 72, "bad", "good")
	file := filepath.Join(t.TempDir(), "out", "model.onnx")
	export := func(dir string, arguments ...string) result {
		return albert(t, "", append([]string{"export", dir, "--out", file, "--precision", "int8"}, arguments...)...)
	}
	r := export(dir, "--calibrate", labelled, "--max-drop", "20")
	for _, want := range []string{"calibrated on the accuracy, 72 examples", "with one matrix in float32", "albert.pooler.weight", "certified on the"} {
		if r.code != 0 || !strings.Contains(r.stdout, want) {
			t.Fatalf("%+v, want %q", r, want)
		}
	}
	if text := must(t, "inspect", file); !strings.Contains(text, "certification: certified") || !strings.Contains(text, `"processor":"`) || !strings.Contains(text, `"onnx_runtime":"1.`) || !strings.Contains(text, `"measure":"accuracy"`) {
		t.Errorf("inspect does not say that the file is certified:\n%.600s", text)
	}
	var asJSON struct {
		Calibration struct {
			Certified bool
			Upper     float64
			Rounds    []any
		}
	}
	decode(t, export(dir, "--calibrate", plain, "--max-drop", "20", "--json").stdout, &asJSON)
	if k := asJSON.Calibration; !k.Certified || k.Upper <= 0 || k.Upper > 20 || len(k.Rounds) == 0 {
		t.Errorf("the calibration is %+v", k)
	}
	for a, limit := range map[models.Architecture]string{models.ForSequenceClassification: "1", models.ForQuestionAnswering: "60"} {
		checkpoint := dir
		if a != models.ForSequenceClassification {
			checkpoint = p.taskModel(t, a, "")
		}
		file = filepath.Join(t.TempDir(), "model.onnx")
		if r := export(checkpoint, "--max-drop", limit); r.code != 0 || !strings.Contains(r.stdout, "random pieces of the vocabulary, which are no text") {
			t.Errorf("%s: %+v", a, r)
		}
	}

	file = filepath.Join(t.TempDir(), "refused", "model.onnx")
	for limit, want := range map[string]string{"0": "no number of examples would show", "1": "72 examples are too few"} {
		r = export(dir, "--calibrate", labelled, "--max-drop", limit)
		if r.code != 1 || !strings.Contains(r.stderr, "not certified: "+want) || !strings.Contains(r.stderr, "--write-uncertified") || strings.Contains(r.stderr, "all in int8") {
			t.Errorf("%+v, want a refusal before a search: %s", r, want)
		}
	}
	if _, err := os.Stat(filepath.Dir(file)); err == nil {
		t.Error("a refused export left something")
	}
	if r = export(dir, "--calibrate", labelled, "--max-drop", "1", "--write-uncertified"); r.code != 0 {
		t.Errorf("%+v", r)
	}
	if text := must(t, "inspect", file); !strings.Contains(text, "certification: not certified") {
		t.Errorf("inspect does not say that the file is not certified:\n%.600s", text)
	}
}

// A file that nobody measured says so, and one that cannot be measured is refused where that was asked for.
func TestExportNotCalibrated(t *testing.T) {
	p := newProject(t)
	dir := p.taskModel(t, models.ForSequenceClassification, models.SingleLabel, "bad", "good")
	file := filepath.Join(t.TempDir(), "model.onnx")
	without := []string{"export", dir, "--out", file, "--precision", "int8", "--library", filepath.Join(t.TempDir(), "nowhere.so")}
	albert(t, "", append(without, "--max-drop", "5")...).fails(t, "nothing can be certified", "nowhere.so")
	for note, arguments := range map[string][]string{
		"not calibrated: int8 can spoil every answer": without,
		"": {"export", dir, "--out", file, "--precision", "int8", "--no-calibration"},
	} {
		r := albert(t, "", arguments...)
		if r.code != 0 || !strings.Contains(r.stderr, note) || (note == "") != (r.stderr == "") {
			t.Errorf("%+v, want the note %q", r, note)
		}
		if text := must(t, "inspect", file); !strings.Contains(text, "certification: not calibrated") {
			t.Errorf("inspect does not say that the file is not calibrated:\n%.600s", text)
		}
	}
	if hasVNNI() {
		return
	}
	albert(t, "", "export", dir, "--out", file, "--precision", "int8", "--target", "vnni", "--max-drop", "5").fails(t, "this processor has no VNNI")
}

// Flags that do not go together are bad usage, and so is data that a model has no use for.
func TestExportCalibratedUsage(t *testing.T) {
	p := newProject(t)
	dir := p.taskModel(t, models.ForSequenceClassification, models.SingleLabel, "bad", "good")
	labelled, plain := p.calibrationData(t, 20, "bad", "good")
	out := filepath.Join(t.TempDir(), "model.onnx")
	for want, arguments := range map[string][]string{
		"are of precision int8":         {"--calibrate", labelled},
		"want 0 or more":                {"--precision", "int8", "--max-drop", "-1"},
		"ask for one with --calibrate":  {"--write-uncertified"},
		"--no-calibration is of":        {"--precision", "int8", "--no-calibration", "--max-drop", "1"},
		"is of the examples":            {"--precision", "int8", "--max-drop", "1", "--agreement"},
		"files with and without labels": {"--precision", "int8", "--calibrate", labelled + "," + plain},
		"task is \"chat\"":              {"--precision", "int8", "--calibrate", labelled, "--task", "chat"},
		"threads is -1, want 0 or more": {"--precision", "int8", "--calibrate", labelled, "--threads", "-1"},
	} {
		if r := albert(t, "", append([]string{"export", dir, "--out", out}, arguments...)...); r.code != exitUsage || !strings.Contains(r.stderr, want) {
			t.Errorf("%v: %+v, want %q", arguments, r, want)
		}
	}
	masked := p.taskModel(t, models.ForMaskedLM, "")
	albert(t, "", "export", masked, "--out", out, "--precision", "int8", "--calibrate", labelled).fails(t, "answers no task with labels", "--agreement")
	albert(t, "", "export", dir, "--out", out, "--precision", "int8", "--calibrate", "nowhere.tsv").fails(t, "nowhere.tsv")
}
