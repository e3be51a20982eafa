//go:build cgo && !windows

package ort_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"goalbert/export"
	"goalbert/models"
	"goalbert/onnx"
	"goalbert/runtime"
	"goalbert/runtime/ort"
)

// needLibrary skips a test where this machine has no ONNX Runtime.
func needLibrary(t *testing.T) {
	t.Helper()
	if _, err := ort.Find(""); err != nil {
		t.Skipf("needs ONNX Runtime: %v", err)
	}
}

// exported writes a small model of random weights.
func exported(t *testing.T) string {
	t.Helper()
	c, err := models.Preset("albert-tiny")
	if err != nil {
		t.Fatal(err)
	}
	c.VocabSize, c.MaxPositionEmbeddings = 60, 16
	w := models.NewWeights(c)
	w.Initialize(1)
	path := filepath.Join(t.TempDir(), "model.onnx")
	if err := export.Write(path, w, export.Options{}); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t *testing.T, path string, o ort.Options) *ort.Session {
	t.Helper()
	s, err := ort.Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func inputs(rows, length int) map[string]runtime.Tensor {
	ids, mask := make([]int64, rows*length), make([]int64, rows*length)
	for i := range ids {
		ids[i], mask[i] = int64(5+i%50), 1
	}
	return map[string]runtime.Tensor{
		models.InputIDs:      runtime.NewTensor(ids, rows, length),
		models.AttentionMask: runtime.NewTensor(mask, rows, length),
		models.TokenTypeIDs:  runtime.NewTensor(make([]int64, rows*length), rows, length),
	}
}

func TestRunAnyShape(t *testing.T) {
	needLibrary(t)
	s := open(t, exported(t), ort.Options{IntraOpThreads: 1})
	if !slices.Equal(s.Outputs(), []string{models.PredictionLogits, models.SOPLogits}) || !strings.HasPrefix(s.Engine(), "onnxruntime 1.") {
		t.Errorf("got outputs %v of engine %s", s.Outputs(), s.Engine())
	}
	for _, shape := range [][2]int{{1, 1}, {1, 16}, {3, 7}, {8, 2}} {
		out, err := s.Run(context.Background(), inputs(shape[0], shape[1]))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := out[models.PredictionLogits].Shape, []int{shape[0], shape[1], 60}; !slices.Equal(got, want) {
			t.Errorf("logits have shape %v, want %v", got, want)
		}
	}
}

func TestRunRefuses(t *testing.T) {
	needLibrary(t)
	s := open(t, exported(t), ort.Options{})
	for want, change := range map[string]func(map[string]runtime.Tensor){
		`input "attention_mask" is missing`: func(in map[string]runtime.Tensor) { delete(in, models.AttentionMask) },
		`no input "labels"`:                 func(in map[string]runtime.Tensor) { in["labels"] = in[models.InputIDs] },
		"want []int64":                      func(in map[string]runtime.Tensor) { in[models.InputIDs] = runtime.NewTensor(make([]float32, 12), 3, 4) },
		"got shape [12], want [? ?]":        func(in map[string]runtime.Tensor) { in[models.InputIDs] = runtime.NewTensor(make([]int64, 12), 12) },
	} {
		in := inputs(3, 4)
		change(in)
		if _, err := s.Run(context.Background(), in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one that says %q", err, want)
		}
	}
	if _, err := s.Run(context.Background(), inputs(1, 17)); err == nil {
		t.Error("a sequence of 17 tokens ran in a model of 16 positions")
	}
}

// Sessions are safe for concurrent use, and the answers do not mix.
func TestConcurrentRuns(t *testing.T) {
	needLibrary(t)
	s := open(t, exported(t), ort.Options{})
	want := map[int][]float32{}
	for length := 1; length <= 8; length++ {
		out, err := s.Run(context.Background(), inputs(1, length))
		if err != nil {
			t.Fatal(err)
		}
		want[length], _ = runtime.Values[float32]("", out[models.SOPLogits])
	}
	var wait sync.WaitGroup
	for i := range 32 {
		wait.Go(func() {
			out, err := s.Run(context.Background(), inputs(1, 1+i%8))
			if err != nil {
				t.Error(err)
				return
			}
			if got, _ := runtime.Values[float32]("", out[models.SOPLogits]); !slices.Equal(got, want[1+i%8]) {
				t.Errorf("length %d: got %v, want %v", 1+i%8, got, want[1+i%8])
			}
		})
	}
	wait.Wait()
}

func TestCancelledAndClosed(t *testing.T) {
	needLibrary(t)
	s := open(t, exported(t), ort.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Run(ctx, inputs(1, 4)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got error %v", err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	if _, err := s.Run(context.Background(), inputs(1, 4)); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("closed: got error %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	needLibrary(t)
	model := exported(t)
	content, err := os.ReadFile(model)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	truncated := filepath.Join(dir, "truncated.onnx")
	if err := os.WriteFile(truncated, content[:len(content)/2], 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		path    string
		options ort.Options
		want    string
	}{
		{truncated, ort.Options{}, "truncated, or not an ONNX model"},
		{filepath.Join(dir, "none.onnx"), ort.Options{}, "no such file"},
		{dir, ort.Options{}, "is a directory"},
		{model, ort.Options{Provider: "tpu"}, `no provider "tpu"`},
		{model, ort.Options{IntraOpThreads: -1}, "threads, want 0 or more"},
		{model, ort.Options{Library: truncated}, "not a shared library"},
	} {
		_, err := ort.Open(test.path, test.options)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s, %+v: got error %v, want one line that says %q", test.path, test.options, err, test.want)
		}
	}
	library, err := ort.Find("")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(library.Providers, "CUDAExecutionProvider") {
		if _, err := ort.Open(model, ort.Options{Provider: ort.CUDA}); err == nil || !strings.Contains(err.Error(), "was built without it") {
			t.Errorf("CUDA on a library for the CPU: got error %v", err)
		}
	}
}

// ONNX Runtime fuses what is meant to be fused, and folds no weight into a second copy.
func TestOptimizedGraph(t *testing.T) {
	needLibrary(t)
	optimized := filepath.Join(t.TempDir(), "optimized.onnx")
	model := exported(t)
	open(t, model, ort.Options{OptimizedModel: optimized, GraphOptimization: ort.OptimizeExtended}).Close()
	m, err := onnx.ReadFile(optimized)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, n := range m.Graph.Node {
		counts[n.OpType]++
	}
	if counts["FastGelu"] != 3 || counts["Tanh"] != 0 || counts["Pow"] != 0 { // two layers and the head; the pooler's joins its Gemm
		t.Errorf("operators are %v, want three FastGelu and nothing of what they were made of", counts)
	}
	if counts["LayerNormalization"]+counts["SkipLayerNormalization"]+counts["EmbedLayerNormalization"] != 6 {
		t.Errorf("operators are %v, want six norms", counts)
	}
	sizes := func(path string) (bytes int) {
		m, err := onnx.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range m.Graph.Initializer {
			bytes += len(w.RawData)
		}
		return bytes
	}
	if before, after := sizes(model), sizes(optimized); after > before+before/50 {
		t.Errorf("the optimized graph holds %d bytes of constants, the file %d: a weight was copied", after, before)
	}
}
