//go:build cgo && !windows

package ort_test

import (
	"context"
	"errors"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"goalbert/models"
	"goalbert/onnx"
	"goalbert/runtime"
	"goalbert/runtime/ort"
)

// A binding computes what Run does, from what its inputs hold at the time, into the memory it was given.
func TestBinding(t *testing.T) {
	needLibrary(t)
	s := open(t, exported(t), ort.Options{IntraOpThreads: 1})
	in := inputs(3, 7)
	out, err := s.Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Bind(in, out)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ids, logits := in[models.InputIDs].Data.([]int64), out[models.PredictionLogits].Data.([]float32)
	cancellable, cancel := context.WithCancel(context.Background())
	defer cancel()
	for i, ctx := range []context.Context{context.Background(), cancellable} {
		clear(logits)
		ids[4] = int64(30 + i)
		want, err := s.Run(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(logits, want[models.PredictionLogits].Data.([]float32)) {
			t.Errorf("run %d: the bound output is not what Run returns", i)
		}
	}
	cancel()
	if err := b.Run(cancellable); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got error %v", err)
	}
}

// A bound run allocates no output: Run allocates all of it, and these outputs have 3.2 MB.
func TestBindingAllocatesNoOutput(t *testing.T) {
	needLibrary(t)
	s := open(t, small(t, onnx.TensorProto_FLOAT, 1<<10, "columns"), ort.Options{})
	in := map[string]runtime.Tensor{"x": runtime.NewTensor(make([]float32, 800<<10), 1<<10, 800)}
	out, err := s.Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Bind(in, out)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	const runs, outputBytes = 20, 4 * 800 << 10
	allocated := func(run func() error) uint64 {
		var before, after goruntime.MemStats
		goruntime.ReadMemStats(&before)
		for range runs {
			if err := run(); err != nil {
				t.Fatal(err)
			}
		}
		goruntime.ReadMemStats(&after)
		return (after.TotalAlloc - before.TotalAlloc) / runs
	}
	plain := allocated(func() error { _, err := s.Run(context.Background(), in); return err })
	bound := allocated(func() error { return b.Run(context.Background()) })
	if plain < outputBytes || bound > 4096 {
		t.Errorf("a run allocates %d bytes, a bound one %d; want %d or more, and a few", plain, bound, outputBytes)
	}
}

func TestBindRefuses(t *testing.T) {
	needLibrary(t)
	s := open(t, exported(t), ort.Options{})
	in := inputs(2, 5)
	out, err := s.Run(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	for want, outputs := range map[string]map[string]runtime.Tensor{
		`output "sop_logits" is missing`: {models.PredictionLogits: out[models.PredictionLogits]},
		`output "sop_logits": got []int64, want []float32`: {models.PredictionLogits: out[models.PredictionLogits],
			models.SOPLogits: runtime.NewTensor(make([]int64, 4), 2, 2)},
		`the model has no output "loss"`: {"loss": out[models.SOPLogits]},
	} {
		if _, err := s.Bind(in, outputs); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one that says %q", err, want)
		}
	}
	// Shapes that the graph does not lead to are found by the run.
	other, err := s.Run(context.Background(), inputs(2, 6))
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Bind(in, other)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "{2,5,60}") {
		t.Errorf("another shape: got error %v", err)
	}
	if err := errors.Join(b.Close(), b.Close()); err != nil {
		t.Error(err)
	}
	if err := b.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "the binding is closed") {
		t.Errorf("closed: got error %v", err)
	}
}

// One run is cancelled, and no other: bindings and plain runs of one session at once, half of them cancelled at any
// moment of their lives.
func TestConcurrentCancellation(t *testing.T) {
	needLibrary(t)
	s := open(t, exported(t), ort.Options{IntraOpThreads: 1})
	want, err := s.Run(context.Background(), inputs(2, 16))
	if err != nil {
		t.Fatal(err)
	}
	check := func(got map[string]runtime.Tensor) {
		if !slices.Equal(got[models.PredictionLogits].Data.([]float32), want[models.PredictionLogits].Data.([]float32)) {
			t.Error("a run returned other logits beside runs that were cancelled")
		}
	}
	var wait sync.WaitGroup
	for worker := range 8 {
		wait.Go(func() {
			out, err := s.Run(context.Background(), inputs(2, 16))
			if err != nil {
				t.Error(err)
				return
			}
			b, err := s.Bind(inputs(2, 16), out)
			if err != nil {
				t.Error(err)
				return
			}
			defer b.Close()
			for i := range 20 {
				ctx, cancel := context.WithCancel(context.Background())
				if worker%2 == 0 {
					time.AfterFunc(time.Duration(i)*50*time.Microsecond, cancel)
				}
				err := b.Run(ctx)
				if err == nil {
					check(out)
				}
				if got, err := s.Run(ctx, inputs(2, 16)); err == nil {
					check(got)
				} else if worker%2 != 0 || !errors.Is(err, context.Canceled) {
					t.Errorf("got error %v", err)
				}
				if err != nil && (worker%2 != 0 || !errors.Is(err, context.Canceled)) {
					t.Errorf("bound: got error %v", err)
				}
				cancel()
			}
		})
	}
	wait.Wait()
}

// Of runs without an end, each ends when it is cancelled itself and goes on until then.
func TestCancelledAlone(t *testing.T) {
	needLibrary(t)
	s := open(t, endless(t), ort.Options{})
	const runs = 4
	cancels, ended := make([]context.CancelFunc, runs), make(chan int)
	for i := range runs {
		var ctx context.Context
		ctx, cancels[i] = context.WithCancel(context.Background())
		go func() {
			in := map[string]runtime.Tensor{"x": runtime.NewTensor([]int64{int64(i)}, 1)}
			if _, err := s.Run(ctx, in); !errors.Is(err, context.Canceled) {
				t.Errorf("run %d: got error %v", i, err)
			}
			ended <- i
		}()
	}
	for i, cancel := range cancels {
		select {
		case other := <-ended:
			t.Fatalf("run %d ended before it was cancelled", other)
		case <-time.After(20 * time.Millisecond):
		}
		cancel()
		if got := <-ended; got != i {
			t.Fatalf("run %d ended when run %d was cancelled", got, i)
		}
	}
}
