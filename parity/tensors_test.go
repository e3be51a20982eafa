package parity_test

import (
	"context"
	"testing"

	"goalbert/export"
	"goalbert/internal/numeric"
	"goalbert/parity"
	"goalbert/runtime"
	"goalbert/runtime/gonnx"
	"goalbert/runtime/native"
	"goalbert/runtime/ort"
)

// checkTensors compares the intermediate values that a session offers with PyTorch's.
func checkTensors(t *testing.T, g *golden, session runtime.Session, tolerance numeric.Tolerance) {
	t.Helper()
	c := g.weights.Config
	want, err := parity.ReadGolden(g.dir, c)
	if err != nil {
		t.Fatal(err)
	}
	want = want.Only(c.Tensors())
	if got := len(session.Outputs()); len(want.Outputs()) != len(c.Tensors()) || got != len(c.Tensors())+len(c.Architecture.Outputs()) {
		t.Fatalf("%d outputs, want those of the model and %v; the golden file has %v", got, c.Tensors(), want.Outputs())
	}
	findings, err := parity.Outputs(context.Background(), want, session, []parity.Batch{want.Batch}, tolerance)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		if !f.OK || f.Elements == 0 || f.Elements%len(g.places) != 0 {
			t.Errorf("%s: %+v", session.Engine(), f)
		}
	}
}

// The intermediate values are PyTorch's, in native and in every form of a file, and the outputs are those of a file
// without them.
func TestTensorsArePyTorch(t *testing.T) {
	_, missing := ort.Find("")
	for _, name := range []string{"base", "uneven", "inner"} {
		g := openGolden(t, name)
		reference := native.NewWithTensors(g.weights, 2)
		checkTensors(t, g, reference, numeric.GoldenFloat32)
		for _, o := range cells {
			o.Tensors = true
			m, path := exportedWith(t, g.weights, o)
			tolerance := numeric.GoldenFloat32
			if o.Precision != export.FP32 {
				tolerance = parity.ToleranceOf(m)
			}
			if o.Layers == export.Unrolled && o.Precision == export.FP32 && o.Fuse == "" {
				session, err := gonnx.Open(path, gonnx.Options{Threads: 2})
				if err != nil {
					t.Fatal(err)
				}
				checkTensors(t, g, session, tolerance)
			}
			if missing != nil {
				continue
			}
			session, err := ort.Open(path, ort.Options{IntraOpThreads: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer session.Close()
			checkTensors(t, g, session, tolerance)
		}
	}
	if missing != nil {
		t.Skipf("without ONNX Runtime: %v", missing)
	}
}
