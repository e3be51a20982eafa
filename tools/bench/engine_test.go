package main

import (
	"sync/atomic"
	"testing"

	"goalbert/native/kernel"
)

// Tiles are disjoint and cover all rows, on any number of threads.
func TestEach(t *testing.T) {
	for _, threads := range []int{1, 2, 3} {
		for _, n := range []int{1, 128, 129, 1000} {
			var taken [1000]atomic.Int32
			each(threads, n, 128, func(lo, hi int) {
				for i := lo; i < hi; i++ {
					taken[i].Add(1)
				}
			})
			for i := range taken {
				if got := taken[i].Load(); (got == 1) != (i < n) || got > 1 {
					t.Fatalf("%d threads, %d rows: row %d is taken %d times", threads, n, i, got)
				}
			}
		}
	}
}

// Every kind of job measures something on a small model.
func TestJobs(t *testing.T) {
	c := base(t)
	c.HiddenSize, c.IntermediateSize, c.NumAttentionHeads, c.NumHiddenLayers, c.VocabSize = 16, 32, 2, 1, 50
	w := workload{Fields: fields(c), Sequences: 8, Length: 64}
	small := shape{M: 40, N: 24, K: 33, TransA: true}
	jobs := []job{
		{Kind: activationsKind, Threads: 1, workload: w},
		{Kind: productKind, Threads: 2, Shape: small}, {Kind: gemmKind, Threads: 1, Shape: small},
		{Kind: stepKind, Threads: 1, workload: w}, {Kind: forwardKind, Threads: 1, workload: w},
	}
	if kernel.Limit(kernel.Full, 1) > 0 {
		jobs = append(jobs, job{Kind: limitKind, Threads: 1})
	}
	for _, j := range jobs {
		name, measure, err := j.prepare()
		if err != nil || name == "" {
			t.Errorf("%s: name %q, error %v", j.Kind, name, err)
			continue
		}
		if v, err := measure(); err != nil || v <= 0 {
			t.Errorf("%s: got %v, error %v", j.Kind, v, err)
		}
	}
	if _, _, err := (job{Kind: "other"}).prepare(); err == nil {
		t.Error("a job that does not exist is prepared")
	}
}
