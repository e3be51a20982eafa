package native_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"goalbert/internal/numeric"
	"goalbert/models"
	"goalbert/runtime"
	"goalbert/runtime/native"
)

// golden is transformers' base checkpoint, its padded batch, and what PyTorch computes for it.
func golden(t *testing.T) (*native.Session, map[string]runtime.Tensor, map[string]models.SafeTensor) {
	t.Helper()
	dir := filepath.Join("..", "..", "parity", "testdata", "base")
	s, err := native.Open(dir, 2)
	if err != nil {
		t.Fatal(err)
	}
	tensors, err := models.ReadSafetensors(filepath.Join(dir, "golden.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	inputs := map[string]runtime.Tensor{}
	for _, name := range s.Inputs() {
		values, err := tensors[name].Int64s()
		if err != nil {
			t.Fatal(err)
		}
		inputs[name] = runtime.NewTensor(values, tensors[name].Shape...)
	}
	return s, inputs, tensors
}

// Rows that are whole, padded on either side, and with a hole: logits at attended places are PyTorch's, others are 0.
func TestRunIsPyTorch(t *testing.T) {
	s, inputs, tensors := golden(t)
	out, err := s.Run(context.Background(), inputs)
	if err != nil {
		t.Fatal(err)
	}
	logits, want := out[models.PredictionLogits], tensors[models.PredictionLogits]
	if !slices.Equal(logits.Shape, want.Shape) {
		t.Fatalf("logits have shape %v, want %v", logits.Shape, want.Shape)
	}
	got, err := runtime.Values[float32]("logits", logits)
	if err != nil {
		t.Fatal(err)
	}
	values, err := want.Float32s()
	if err != nil {
		t.Fatal(err)
	}
	mask, _ := runtime.Values[int64]("mask", inputs[models.AttentionMask])
	columns := len(got) / len(mask)
	for place, attended := range mask {
		for i := place * columns; attended == 0 && i < (place+1)*columns; i++ {
			values[i] = 0
		}
	}
	numeric.Check(t, "prediction_logits", got, values, numeric.GoldenFloat32)
}

func TestRunRefuses(t *testing.T) {
	long := make([]int64, 17)
	for want, change := range map[string]func(map[string]runtime.Tensor){
		"input attention_mask is missing": func(in map[string]runtime.Tensor) { delete(in, models.AttentionMask) },
		"the model has no input labels":   func(in map[string]runtime.Tensor) { in["labels"] = in[models.InputIDs] },
		"input input_ids has shape [28]":  func(in map[string]runtime.Tensor) { in[models.InputIDs] = runtime.NewTensor(make([]int64, 28), 28) },
		"want that of input_ids, (4, 7)": func(in map[string]runtime.Tensor) {
			in[models.TokenTypeIDs] = runtime.NewTensor(make([]int64, 28), 7, 4)
		},
		"attention_mask of row 0 is all zero": func(in map[string]runtime.Tensor) {
			in[models.AttentionMask] = runtime.NewTensor(make([]int64, 28), 4, 7)
		},
		"attention_mask is 2 at (0, 1)":     func(in map[string]runtime.Tensor) { set(in, models.AttentionMask, 1, 2) },
		"token (1, 0) has id 97 and type 0": func(in map[string]runtime.Tensor) { set(in, models.InputIDs, 7, 97) },
		"holds []float32, want []int64":     func(in map[string]runtime.Tensor) { in[models.InputIDs] = runtime.NewTensor(make([]float32, 28), 4, 7) },
		"sequences of 17 tokens, the model takes at most 16": func(in map[string]runtime.Tensor) {
			for name := range in {
				in[name] = runtime.NewTensor(long, 1, 17)
			}
		},
	} {
		s, inputs, _ := golden(t)
		change(inputs)
		if _, err := s.Run(context.Background(), inputs); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one that says %q", err, want)
		}
	}
	s, inputs, _ := golden(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Run(ctx, inputs); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got error %v", err)
	}
}

func set(in map[string]runtime.Tensor, name string, at int, value int64) {
	values, _ := runtime.Values[int64](name, in[name])
	values[at] = value
}

func TestConcurrentRuns(t *testing.T) {
	s, inputs, _ := golden(t)
	want, err := s.Run(context.Background(), inputs)
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			got, err := s.Run(context.Background(), inputs)
			if err != nil || !slices.Equal(got[models.SOPLogits].Data.([]float32), want[models.SOPLogits].Data.([]float32)) {
				t.Errorf("another run gave %v, error %v", got[models.SOPLogits], err)
			}
		})
	}
	wait.Wait()
}
