package main

import (
	"fmt"
	"sync"
	"sync/atomic"

	"goalbert/models"
	"goalbert/native"
	"goalbert/native/kernel"
)

// newEngine returns an engine with fresh weights of configuration c.
func newEngine(c models.Config, p kernel.Precision, threads int, recompute bool) (*native.Engine, error) {
	w := models.NewWeights(c)
	w.Initialize(1)
	return native.NewEngine(w, native.Options{Threads: threads, Seed: 1, Precision: p, Recompute: recompute})
}

// step is an optimizer step on b: forward, backward, update.
func step(e *native.Engine, b *models.Batch) error {
	d := models.Denominators{MaskedTokens: float64(len(b.MaskedLabels)), Sentences: float64(b.Sequences())}
	if _, err := e.Accumulate(b, d); err != nil {
		return err
	}
	_, err := e.Step(models.Hyperparameters{Optimizer: models.AdamW, LearningRate: 1e-4, Beta1: 0.9, Beta2: 0.999,
		Epsilon: 1e-8, WeightDecay: 0.01, BiasCorrection: true, MaxGradNorm: 1})
	return err
}

// shape is that of a product C = op(A)·op(B), and what it is in a linear layer.
type shape struct {
	M, N, K        int
	TransA, TransB bool
}

func (s shape) String() string {
	is := "dY·W"
	if s.TransA {
		is = "dYᵀ·x"
	} else if s.TransB {
		is = "x·Wᵀ"
	}
	return fmt.Sprintf("%dx%dx%d %s", s.M, s.N, s.K, is)
}

// strides returns the distances between the rows of A and of B.
func (s shape) strides() (lda, ldb int) {
	lda, ldb = s.K, s.N
	if s.TransA {
		lda = s.M
	}
	if s.TransB {
		ldb = s.K
	}
	return lda, ldb
}

// newProduct returns a function that multiplies on so many threads. As in the engine, weights are packed once, and the
// input of dYᵀ·x each time.
func newProduct(s shape, p kernel.Precision, threads int) func() {
	lda, ldb := s.strides()
	a, x, c := randomMatrix(s.M*s.K), randomMatrix(s.K*s.N), make([]float32, s.M*s.N)
	b := kernel.NewPacked(p, s.K, s.N, make([]float32, kernel.PackedSize[float32](p, s.K, s.N)))
	rows := s.K // of x
	if s.TransB {
		rows = s.N
	}
	pack := func() {
		each(threads, rows, 128, func(lo, hi int) { b.Pack(s.TransB, x[lo*ldb:], ldb, lo, hi) })
	}
	pack()
	return func() {
		if s.TransA {
			pack()
		}
		each(threads, s.M, 128, func(lo, hi int) {
			at := lo * lda
			if s.TransA {
				at = lo
			}
			b.Multiply(s.TransA, hi-lo, a[at:], lda, c[lo*s.N:], s.N, nil, 0)
		})
	}
}

// newGemm returns a function that multiplies on one thread and packs both operands each time, as a library must.
func newGemm(s shape) func() {
	lda, ldb := s.strides()
	a, b, c := randomMatrix(s.M*s.K), randomMatrix(s.K*s.N), make([]float32, s.M*s.N)
	return func() { kernel.Gemm(s.TransA, s.TransB, s.M, s.N, s.K, 1, a, lda, b, ldb, 0, c, s.N) }
}

// each calls task for tiles of n rows on so many threads.
func each(threads, n, tile int, task func(lo, hi int)) {
	var next atomic.Int64
	var all sync.WaitGroup
	for range threads {
		all.Go(func() {
			for lo := int(next.Add(1)-1) * tile; lo < n; lo = int(next.Add(1)-1) * tile {
				task(lo, min(lo+tile, n))
			}
		})
	}
	all.Wait()
}
