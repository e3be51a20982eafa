package parity_test

import (
	"context"
	"strings"
	"testing"

	"goalbert/export"
	"goalbert/internal/numeric"
	"goalbert/onnx"
	"goalbert/parity"
	"goalbert/runtime"
	"goalbert/runtime/gonnx"
	"goalbert/runtime/ort"
)

// With the weights in a second file every form computes the bits of one file; onnx-go refuses it by name.
func TestExternalDataInEngines(t *testing.T) {
	w := openGolden(t, "groups").weights
	for _, o := range export.Cells() {
		t.Run(o.Form(), func(t *testing.T) {
			o.External = export.External{Always: true}
			m, path := exportedWith(t, w, o)
			external := 0
			for _, tensor := range m.Graph.Initializer {
				if tensor.DataLocation == onnx.TensorProto_EXTERNAL {
					external++
				}
			}
			if external == 0 {
				t.Error("no tensor lies in the second file")
			}
			if _, err := gonnx.Open(path, gonnx.Options{}); err == nil ||
				o.Form() == "fp32 unrolled" && !strings.Contains(err.Error(), "lies in another file, want all in one: export the model without external data") {
				t.Errorf("onnx-go: got error %v", err)
			}
			if _, err := ort.Find(""); err != nil {
				t.Skipf("needs ONNX Runtime: %v", err)
			}
			open := func(path string) runtime.Session {
				session, err := ort.Open(path, ort.Options{IntraOpThreads: 1})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { session.Close() })
				return session
			}
			o.External = export.External{}
			_, whole := exportedWith(t, w, o)
			batches := parity.Batches(sequences(w.Config, 1, 7), w.Config.PadTokenID)
			findings, err := parity.Outputs(context.Background(), open(whole), open(path), batches, numeric.Exact)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range findings {
				if !f.OK || f.Elements == 0 {
					t.Errorf("it computes other bits than one file: %+v", f)
				}
			}
			findings, err = parity.File("model.onnx", m, w, "")
			if err != nil {
				t.Fatal(err)
			}
			if r := (parity.Report{Findings: findings}); !r.OK() {
				t.Errorf("it is not what the checkpoint's export is: %+v", findings)
			}
		})
	}
}
