package parity_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"io"
	"slices"
	"strings"
	"testing"

	"goalbert/export"
	"goalbert/models"
	"goalbert/parity"
	"goalbert/runtime"
	"goalbert/runtime/native"
)

// report is one of a file that native runs as its own engine, changed by wrong.
func report(t *testing.T, wrong func(map[string]runtime.Tensor)) *parity.Report {
	t.Helper()
	w := openGolden(t, "base").weights
	m, _ := exportedWith(t, w, export.Options{Tensors: true})
	batches := slices.Concat(parity.Batches(sequences(w.Config, 1, 5), w.Config.PadTokenID), parity.Adversarial(w.Config))
	r := parity.NewReport("a <checkpoint>", "native", batches)
	r.Program, r.Machine.Processor = "albert 1", "A Processor & more"
	files := []parity.FileSum{{Name: "model.onnx", Bytes: 1234567, SHA256: "5eed"}, {Name: "model.onnx.data", Bytes: 7, SHA256: "dada"}}
	e := parity.NewExport("fp32 unrolled", m, files, parity.LeastAgreement)
	r.AddExport(e)
	findings, err := parity.File("fp32 unrolled", m, w, "")
	if err != nil {
		t.Fatal(err)
	}
	r.Add(findings...)
	reference := native.NewWithTensors(w, 1)
	findings, err = e.CompareOutputs(context.Background(), reference, wrongSession{reference, wrong}, batches, w.Config)
	if err != nil {
		t.Fatal(err)
	}
	r.Add(findings...)
	r.Skip("an engine", "it is not here")
	return r
}

func nothing(map[string]runtime.Tensor) {}

func oneWrong(out map[string]runtime.Tensor) { out["layers.1.context"].Data.([]float32)[7] += 1 }

// The page is well-formed, has no address of anything else, and says what the report does: read back by a parser.
func TestPage(t *testing.T) {
	for _, test := range []struct {
		wrong func(map[string]runtime.Tensor)
		words []string
	}{
		{nothing, []string{"equal, within 0.0001 + 0.0001 of the value, over 15 batches", "a <checkpoint>", "A Processor & more",
			"fp32 unrolled", "layers.1.context", "prediction_logits", "all 16 positions", "it is not here"}},
		{oneWrong, []string{"NOT equal: 1 of", "Mismatches", "✕"}},
	} {
		r := report(t, test.wrong)
		var out bytes.Buffer
		if err := r.WriteHTML(&out); err != nil {
			t.Fatal(err)
		}
		page := out.String()
		text, labels := parsePage(t, page)
		for _, want := range append(test.words, "5eed", "model.onnx.data, 7 bytes: dada", r.Verdict()) {
			if !strings.Contains(text, want) {
				t.Errorf("the page does not say %q", want)
			}
		}
		if want := 2 + len(openGolden(t, "base").weights.Config.Tensors()); len(labels) != want {
			t.Errorf("the heat map has %d cells, want %d", len(labels), want)
		}
		for _, f := range r.Findings {
			if f.Against == parity.AgainstCheckpoint {
				continue
			}
			if label := labels[f.Tensor]; f.OK && label != "0" || !f.OK && !strings.HasPrefix(label, "✕ ") {
				t.Errorf("the cell of %s says %q: %+v", f.Tensor, label, f)
			}
		}
		for _, outside := range []string{"http:", "https:", "//", "url(", "<script", "<link", "@import"} {
			if strings.Contains(page, outside) {
				t.Errorf("the page has %q", outside)
			}
		}
	}
}

// parsePage returns the text of a page, and what the cells of its heat map, of one column, say of each tensor.
func parsePage(t *testing.T, page string) (text string, labels map[string]string) {
	t.Helper()
	decoder := xml.NewDecoder(strings.NewReader(page))
	decoder.Strict, decoder.AutoClose, decoder.Entity = false, []string{"meta"}, xml.HTMLEntity
	labels = map[string]string{}
	var all strings.Builder
	element, row, cell := "", "", false
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			return all.String(), labels
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.CharData:
			all.Write(token)
			if cell {
				labels[row] += string(token)
			} else if element == "code" {
				row = string(token)
			}
		case xml.EndElement:
			element, cell = "", false
		case xml.StartElement:
			element = token.Name.Local
			cell = element == "td" && slices.ContainsFunc(token.Attr, func(a xml.Attr) bool {
				return a.Name.Local == "class" && len(a.Value) == 2 && a.Value[0] == 'l'
			})
			if cell {
				labels[row] = ""
			}
		}
	}
}

// As JSON the report has every finding, and is read back as the same.
func TestReportAsJSON(t *testing.T) {
	r := report(t, oneWrong)
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back parity.Report
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if len(back.Findings) != len(r.Findings) || back.OK() || back.Verdict() != r.Verdict() || !slices.Equal(back.Models[0].Exports[0].Files, r.Models[0].Exports[0].Files) {
		t.Errorf("got %+v", back)
	}
}

// A file that no engine has run is not proven, and the table joins what is equal.
func TestUnprovenIsNotOK(t *testing.T) {
	r := report(t, nothing)
	if !r.OK() {
		t.Fatal(r.Verdict())
	}
	var out bytes.Buffer
	if err := r.WriteText(&out); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(out.String(), "\n"); lines > 8 || !strings.Contains(out.String(), "not run: fp32 unrolled in an engine: it is not here") {
		t.Errorf("%d lines:\n%s", lines, &out)
	}
	r.AddExport(parity.Export{Name: "another"})
	r.Add(parity.Finding{Against: parity.AgainstCheckpoint, Tensor: "graph", OK: true})
	if r.OK() || !strings.Contains(r.Verdict(), "no engine has run a <checkpoint>: another") {
		t.Errorf("got %q", r.Verdict())
	}
}

// Adversarial inputs are what their names say.
func TestAdversarial(t *testing.T) {
	c := openGolden(t, "base").weights.Config
	rows, tokens := map[int]bool{}, map[int]bool{}
	ends, types, firstHidden, hole := false, map[int64]bool{}, false, false
	for _, b := range parity.Adversarial(c) {
		ids, mask := b.Inputs[models.InputIDs], b.Inputs[models.AttentionMask].Data.([]int64)
		rows[ids.Shape[0]], tokens[ids.Shape[1]] = true, true
		list := ids.Data.([]int64)
		inside := slices.ContainsFunc(list, func(id int64) bool { return id > 0 && id < int64(c.VocabSize-1) })
		ends = ends || !inside && slices.Contains(list, 0) && slices.Contains(list, int64(c.VocabSize-1))
		for _, v := range b.Inputs[models.TokenTypeIDs].Data.([]int64) {
			types[v] = true
		}
		firstHidden = firstHidden || mask[0] == 0
		for i := 2; i < ids.Shape[1]; i++ {
			hole = hole || mask[i-2] == 1 && mask[i-1] == 0 && mask[i] == 1
		}
	}
	if !rows[1] || !rows[33] || !tokens[1] || !tokens[c.MaxPositionEmbeddings] || !ends || len(types) != 2 || !firstHidden || !hole {
		t.Errorf("rows %v, lengths %v, both ends %v, types %v, a hidden first token %v, a hole %v", rows, tokens, ends, types, firstHidden, hole)
	}
}
