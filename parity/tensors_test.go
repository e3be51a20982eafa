package parity_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"goalbert/export"
	"goalbert/internal/numeric"
	"goalbert/models"
	"goalbert/parity"
	"goalbert/runtime"
	"goalbert/runtime/gonnx"
	"goalbert/runtime/native"
	"goalbert/runtime/ort"
)

// goldenTensor is the name that the golden files have for an intermediate value.
func goldenTensor(c models.Config, name string) string {
	switch name {
	case models.EmbeddingsOutput:
		return "embeddings"
	case models.EmbeddingsHidden:
		return "embedding_hidden_mapping_in"
	}
	var layer int
	part := name[strings.LastIndex(name, ".")+1:]
	fmt.Sscanf(name, "layers.%d.", &layer)
	if part == models.LayerOutput {
		part = "full_layer_layer_norm"
	}
	return fmt.Sprintf("layers.%d.%d.%s", layer/c.InnerGroupNum, layer%c.InnerGroupNum, part)
}

// checkTensors compares the intermediate values that a session offers with PyTorch's.
func checkTensors(t *testing.T, g *golden, session runtime.Session, tolerance numeric.Tolerance) {
	t.Helper()
	want := g.weights.Config.Tensors()
	if got := len(session.Outputs()); got != len(want)+len(g.weights.Config.Architecture.Outputs()) {
		t.Errorf("%d outputs, want those of the model and %v", got, want)
	}
	inputs := map[string]runtime.Tensor{}
	for _, name := range session.Inputs() {
		inputs[name] = runtime.NewTensor(g.integers(name), g.rows, g.length)
	}
	outputs, err := session.Run(context.Background(), inputs)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range want {
		values := outputs[name].Data.([]float32)
		columns := len(values) / (g.rows * g.length)
		var got []float32
		for _, place := range g.places {
			got = append(got, values[place*columns:(place+1)*columns]...)
		}
		numeric.Check(t, name, got, narrow(g.attended(goldenTensor(g.weights.Config, name))), tolerance)
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
