package gonnx_test

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
	"goalbert/runtime"
	"goalbert/runtime/gonnx"
)

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

func open(t *testing.T, path string, o gonnx.Options) *gonnx.Session {
	t.Helper()
	s, err := gonnx.Open(path, o)
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
	s := open(t, exported(t), gonnx.Options{Threads: 1})
	if !slices.Equal(s.Outputs(), []string{models.PredictionLogits, models.SOPLogits}) || len(s.Inputs()) != 3 {
		t.Errorf("got inputs %v and outputs %v", s.Inputs(), s.Outputs())
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
	s := open(t, exported(t), gonnx.Options{})
	for want, change := range map[string]func(map[string]runtime.Tensor){
		`input "attention_mask" is missing`: func(in map[string]runtime.Tensor) { delete(in, models.AttentionMask) },
		`no input "labels"`:                 func(in map[string]runtime.Tensor) { in["labels"] = in[models.InputIDs] },
		"want []int64":                      func(in map[string]runtime.Tensor) { in[models.InputIDs] = runtime.NewTensor(make([]float32, 12), 3, 4) },
		"got shape [12], want [batch":       func(in map[string]runtime.Tensor) { in[models.InputIDs] = runtime.NewTensor(make([]int64, 12), 12) },
		"got shape [4 3], want [batch": func(in map[string]runtime.Tensor) {
			in[models.TokenTypeIDs] = runtime.NewTensor(make([]int64, 12), 4, 3)
		},
		"5 elements for shape [3 4]": func(in map[string]runtime.Tensor) {
			in[models.InputIDs] = runtime.Tensor{Shape: []int{3, 4}, Data: make([]int64, 5)}
		},
		"(Gather): index 60": func(in map[string]runtime.Tensor) { in[models.InputIDs].Data.([]int64)[3] = 60 },
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

// Sessions are safe for concurrent use, the answers do not mix, and they are the same bits for any number of threads.
func TestConcurrentRuns(t *testing.T) {
	path := exported(t)
	one, three := open(t, path, gonnx.Options{Threads: 1}), open(t, path, gonnx.Options{Threads: 3})
	want := map[int][]float32{}
	for rows := 1; rows <= 8; rows++ {
		out, err := one.Run(context.Background(), inputs(rows, 16))
		if err != nil {
			t.Fatal(err)
		}
		want[rows], _ = runtime.Values[float32]("", out[models.PredictionLogits])
	}
	var wait sync.WaitGroup
	for i := range 32 {
		wait.Go(func() {
			out, err := three.Run(context.Background(), inputs(1+i%8, 16))
			if err != nil {
				t.Error(err)
				return
			}
			if got, _ := runtime.Values[float32]("", out[models.PredictionLogits]); !slices.Equal(got, want[1+i%8]) {
				t.Errorf("%d rows: not the bits of one thread", 1+i%8)
			}
		})
	}
	wait.Wait()
}

func TestCancelledAndClosed(t *testing.T) {
	s := open(t, exported(t), gonnx.Options{})
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

func TestOpenRefusesFiles(t *testing.T) {
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
		options gonnx.Options
		want    string
	}{
		{truncated, gonnx.Options{}, "truncated"},
		{filepath.Join(dir, "none.onnx"), gonnx.Options{}, "no such file"},
		{dir, gonnx.Options{}, "is a directory"},
		{model, gonnx.Options{Threads: -1}, "threads, want 0 or more"},
	} {
		_, err := gonnx.Open(test.path, test.options)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s, %+v: got error %v, want one line that says %q", test.path, test.options, err, test.want)
		}
	}
}
