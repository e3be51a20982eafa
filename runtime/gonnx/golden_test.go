package gonnx_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"goalbert/export"
	"goalbert/internal/numeric"
	"goalbert/models"
	"goalbert/runtime"
	"goalbert/runtime/gonnx"
)

const goldenRoot = "../../parity/testdata"

// Every golden configuration, exported, computes here what transformers computed in float64, at attended positions.
func TestGolden(t *testing.T) {
	dirs, err := os.ReadDir(goldenRoot)
	if err != nil || len(dirs) == 0 {
		t.Fatalf("%d golden directories, error %v", len(dirs), err)
	}
	for _, dir := range dirs {
		if dir.Name() == "heads" { // a directory of others, which the tests of parity run here
			continue
		}
		t.Run(dir.Name(), func(t *testing.T) { checkGolden(t, filepath.Join(goldenRoot, dir.Name())) })
	}
}

func checkGolden(t *testing.T, dir string) {
	w, err := models.ReadCheckpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	golden, err := models.ReadSafetensors(filepath.Join(dir, "golden.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "model.onnx")
	if err := export.Write(path, w, export.Options{}); err != nil {
		t.Fatal(err)
	}
	s := open(t, path, gonnx.Options{Threads: 2})
	in := map[string]runtime.Tensor{}
	for _, name := range s.Inputs() {
		ids, err := golden[name].Int64s()
		if err != nil {
			t.Fatal(err)
		}
		in[name] = runtime.NewTensor(ids, golden[name].Shape...)
	}
	out, err := s.Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range s.Outputs() {
		want, err := golden[name].Float64s()
		if err != nil {
			t.Fatal(err)
		}
		mask := in[models.AttentionMask].Data.([]int64)
		if name == models.SOPLogits {
			mask = []int64{1, 1, 1, 1} // transformers too reads position 0 of each row, whatever the mask
		}
		got, want := attended(t, name, out[name], want, mask)
		numeric.Check(t, name, got, want, numeric.Engine)
	}
}

// attended returns the rows of got and want where the mask is 1.
func attended(t *testing.T, name string, got runtime.Tensor, want []float64, mask []int64) (kept, wanted []float64) {
	values, err := runtime.Values[float32](name, got)
	if err != nil || len(values) != len(want) {
		t.Fatalf("%s: got %d elements, want %d, error %v", name, len(values), len(want), err)
	}
	columns := len(values) / len(mask)
	for i, v := range values {
		if mask[i/columns] == 1 {
			kept, wanted = append(kept, float64(v)), append(wanted, want[i])
		}
	}
	return kept, wanted
}
