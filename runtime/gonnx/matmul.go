package gonnx

import (
	"fmt"
	"slices"

	"goalbert/native/kernel"
)

// matrix is rows×columns numbers of a slice, or their transpose.
type matrix[T element] struct {
	data    []T
	stride  int
	flipped bool
}

// buildGemm returns α·op(A)·op(B) + β·C, C being broadcast to the product's shape.
func buildGemm(n *nodeAttributes) operator {
	g := gemm{
		alpha:  attribute(n, "alpha", float32(1)),
		beta:   attribute(n, "beta", float32(1)),
		transA: attribute(n, "transA", int64(0)) != 0,
		transB: attribute(n, "transB", int64(0)) != 0,
	}
	return func(r *run, in []tensor) ([]tensor, error) {
		if _, ok := in[0].data.([]int64); ok {
			return applyGemm(r, in, g, productInt64)
		}
		return applyGemm(r, in, g, product)
	}
}

type gemm struct {
	alpha, beta    float32
	transA, transB bool
}

// multiplier sets c (m, n) to alpha·a·b + beta·c.
type multiplier[T number] func(r *run, m, n, k int, alpha T, a, b matrix[T], beta T, c []T)

func applyGemm[T number](r *run, in []tensor, g gemm, multiply multiplier[T]) ([]tensor, error) {
	a, err := values[T]("A", in[0])
	if err != nil {
		return nil, err
	}
	b, err := values[T]("B", in[1])
	if err != nil {
		return nil, err
	}
	m, n, k, err := g.sizes(in[0].shape, in[1].shape)
	if err != nil {
		return nil, err
	}
	t, out, err := newTensor[T](r, []int{m, n})
	if err != nil {
		return nil, err
	}
	beta := T(g.beta)
	if len(in) < 3 || in[2].absent() {
		beta = 0
	} else if err := broadcastInto(r, out, t.shape, in[2]); err != nil {
		return nil, err
	}
	multiply(r, m, n, k, T(g.alpha), matrix[T]{a, in[0].shape[1], g.transA}, matrix[T]{b, in[1].shape[1], g.transB}, beta, out)
	return []tensor{t}, nil
}

// sizes returns the sizes of a product of matrices of those shapes.
func (g gemm) sizes(a, b []int) (m, n, k int, err error) {
	if len(a) != 2 || len(b) != 2 {
		return 0, 0, 0, fmt.Errorf("matrix A has shape %v and B %v, want two matrices", a, b)
	}
	m, k = a[0], a[1]
	if g.transA {
		m, k = k, m
	}
	depth, n := b[0], b[1]
	if g.transB {
		depth, n = n, depth
	}
	if depth != k {
		return 0, 0, 0, fmt.Errorf("matrix A has shape %v and B %v: %d and %d elements are to be multiplied", a, b, k, depth)
	}
	return m, n, k, nil
}

// broadcastInto sets out to c, stretched to shape.
func broadcastInto[T element](r *run, out []T, shape []int, c tensor) error {
	data, err := values[T]("C", c)
	if err != nil {
		return err
	}
	to, err := broadcastShape(c.shape, shape)
	if err != nil || !slices.Equal(to, shape) {
		return fmt.Errorf("matrix C has shape %v, which cannot be broadcast to %v", c.shape, shape)
	}
	copyWalk(r.pool, newWalk(shape, broadcastStrides(c.shape, shape)), out, data, 0)
	return nil
}

// product computes on all threads: each takes columns of b, or rows of a where there are more of them.
func product(r *run, m, n, k int, alpha float32, a, b matrix[float32], beta float32, c []float32) {
	const least = 64 // lines of a task: fewer are not worth packing the other matrix again
	if m*n*k < 1<<16 || r.threads == 1 {
		kernel.Gemm(a.flipped, b.flipped, m, n, k, alpha, a.data, a.stride, b.data, b.stride, beta, c, n)
		return
	}
	if n >= m {
		tile := tileOf(n, r.threads, least)
		r.tasks((n+tile-1)/tile, func(i int) {
			j := i * tile
			kernel.Gemm(a.flipped, b.flipped, m, min(tile, n-j), k, alpha, a.data, a.stride,
				b.data[b.column(j):], b.stride, beta, c[j:], n)
		})
		return
	}
	tile := tileOf(m, r.threads, least)
	r.tasks((m+tile-1)/tile, func(i int) {
		row := i * tile
		kernel.Gemm(a.flipped, b.flipped, min(tile, m-row), n, k, alpha, a.data[a.row(row):], a.stride,
			b.data, b.stride, beta, c[row*n:], n)
	})
}

// tileOf returns how many of n lines make a task, so that there are some for each thread.
func tileOf(n, threads, least int) int {
	return max(least, (n+2*threads-1)/(2*threads))
}

// row returns where row i of op(x) begins, and column where column i does.
func (x matrix[T]) row(i int) int {
	if x.flipped {
		return i
	}
	return i * x.stride
}

func (x matrix[T]) column(i int) int {
	if x.flipped {
		return i * x.stride
	}
	return i
}

// productInt64 is product for whole numbers, which no model multiplies many of.
func productInt64(r *run, m, n, k int, alpha int64, a, b matrix[int64], beta int64, c []int64) {
	stepA, stepB := 1, b.stride
	if a.flipped {
		stepA = a.stride
	}
	if b.flipped {
		stepB = 1
	}
	r.ranges(m, n*k, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			for j := range n {
				sum := int64(0)
				for p := range k {
					sum += a.data[a.row(i)+p*stepA] * b.data[b.column(j)+p*stepB]
				}
				to := &c[i*n+j]
				if beta == 0 {
					*to = alpha * sum
				} else {
					*to = alpha*sum + beta**to
				}
			}
		}
	})
}

// matMul is numpy.matmul: matrices of the last two axes are multiplied, the axes before are broadcast, and a vector is
// a row on the left and a column on the right.
func matMul(r *run, in []tensor) ([]tensor, error) {
	if _, ok := in[0].data.([]int64); ok {
		return applyMatMul(r, in[0], in[1], productInt64)
	}
	return applyMatMul(r, in[0], in[1], product)
}

func applyMatMul[T number](r *run, left, right tensor, multiply multiplier[T]) ([]tensor, error) {
	a, err := values[T]("the first input", left)
	if err != nil {
		return nil, err
	}
	b, err := values[T]("the second input", right)
	if err != nil {
		return nil, err
	}
	s, err := newMatMulShapes(left.shape, right.shape)
	if err != nil {
		return nil, err
	}
	t, out, err := newTensor[T](r, s.out)
	if err != nil {
		return nil, err
	}
	m, n, k := s.m, s.n, s.k
	batches := size(s.batch)
	if s.sharedRight() { // one matrix on the right: all rows on the left are one matrix
		multiply(r, batches*m, n, k, 1, matrix[T]{a, k, false}, matrix[T]{b, n, false}, 0, out)
		return []tensor{t}, nil
	}
	if batches == 1 {
		multiply(r, m, n, k, 1, matrix[T]{a, k, false}, matrix[T]{b, n, false}, 0, out)
		return []tensor{t}, nil
	}
	w := newWalk(s.batch, broadcastStrides(s.left, s.batch), broadcastStrides(s.right, s.batch))
	single := &run{pool: pool{threads: 1}}
	inner := w.shape[len(w.shape)-1]
	r.tasks(batches, func(i int) {
		at := w.start(i / inner)
		x, y := at[0]+i%inner*w.step(0), at[1]+i%inner*w.step(1)
		multiply(single, m, n, k, 1, matrix[T]{a[x*m*k:], k, false}, matrix[T]{b[y*k*n:], n, false}, 0, out[i*m*n:][:m*n])
	})
	return []tensor{t}, nil
}

// matMulShapes is the sizes of a product of stacks of matrices.
type matMulShapes struct {
	m, n, k            int
	left, right, batch []int // the axes before the last two, and what they are broadcast to
	out                []int
}

func newMatMulShapes(a, b []int) (s matMulShapes, err error) {
	if len(a) == 0 || len(b) == 0 {
		return s, fmt.Errorf("shapes %v and %v: a scalar cannot be multiplied as a matrix", a, b)
	}
	row, column := len(a) == 1, len(b) == 1
	if row {
		a = []int{1, a[0]}
	}
	if column {
		b = []int{b[0], 1}
	}
	s.left, s.right = a[:len(a)-2], b[:len(b)-2]
	s.m, s.k, s.n = a[len(a)-2], a[len(a)-1], b[len(b)-1]
	if s.k != b[len(b)-2] {
		return s, fmt.Errorf("shapes %v and %v: %d and %d elements are to be multiplied", a, b, s.k, b[len(b)-2])
	}
	if s.batch, err = broadcastShape(s.left, s.right); err != nil {
		return s, err
	}
	s.out = slices.Clone(s.batch)
	if !row {
		s.out = append(s.out, s.m)
	}
	if !column {
		s.out = append(s.out, s.n)
	}
	return s, nil
}

// sharedRight reports whether all of the left is multiplied by one matrix.
func (s matMulShapes) sharedRight() bool {
	return size(s.right) == 1 && slices.Equal(s.left, s.batch)
}
