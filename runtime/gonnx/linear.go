package gonnx

import (
	"fmt"

	"goalbert/native/kernel"
)

// gemm is α·op(A)·op(B) + β·C, A and B being matrices and C broadcast to the result.
func gemm(c *call) (*array, error) {
	a, b := c.inputs[0], c.inputs[1]
	if len(a.shape) != 2 || len(b.shape) != 2 || !a.isFloat() || !b.isFloat() {
		return nil, fmt.Errorf("shapes %v and %v, want matrices of float32", a.shape, b.shape)
	}
	transA, transB := c.operation.integer("transA", 0) != 0, c.operation.integer("transB", 0) != 0
	m, k := turned(a.shape, transA)
	inner, n := turned(b.shape, transB)
	if k != inner {
		return nil, fmt.Errorf("shapes %v and %v do not multiply", a.shape, b.shape)
	}
	out := newFloats([]int{m, n})
	beta := c.operation.number("beta", 1)
	if bias := c.input(2); bias != nil && beta != 0 {
		if shape, err := broadcast(bias.shape, out.shape); err != nil || size(shape) != size(out.shape) || !bias.isFloat() {
			return nil, fmt.Errorf("input C of shape %v does not broadcast to %v", bias.shape, out.shape)
		}
		combine(c.threads, out.floats, bias.floats, out.floats, out.shape, bias.shape, out.shape,
			func(x, _ float32) float32 { return beta * x })
	}
	alpha := c.operation.number("alpha", 1)
	parallel(c.threads, m, m*n*k, func(lo, hi int) {
		first := lo * k
		if transA {
			first = lo
		}
		kernel.Gemm(transA, transB, hi-lo, n, k, alpha, a.floats[first:], a.shape[1], b.floats, b.shape[1], 1, out.floats[lo*n:], n)
	})
	return out, nil
}

// turned returns the rows and columns of a matrix, or of its transpose.
func turned(shape []int, transposed bool) (rows, columns int) {
	if transposed {
		return shape[1], shape[0]
	}
	return shape[0], shape[1]
}

// matMul multiplies the matrices of the last two dimensions; those before them are broadcast.
func matMul(c *call) (*array, error) {
	a, b := c.inputs[0], c.inputs[1]
	if len(a.shape) < 2 || len(b.shape) < 2 || !a.isFloat() || !b.isFloat() {
		return nil, fmt.Errorf("shapes %v and %v, want at least matrices of float32", a.shape, b.shape)
	}
	batchA, batchB := a.shape[:len(a.shape)-2], b.shape[:len(b.shape)-2]
	m, k := a.shape[len(batchA)], a.shape[len(batchA)+1]
	inner, n := b.shape[len(batchB)], b.shape[len(batchB)+1]
	batch, err := broadcast(batchA, batchB)
	if err != nil || k != inner {
		return nil, fmt.Errorf("shapes %v and %v do not multiply", a.shape, b.shape)
	}
	out := newFloats(append(batch[:len(batch):len(batch)], m, n))
	stridesA, stridesB := strides(batchA, batch), strides(batchB, batch)
	parallel(c.threads, size(batch), size(out.shape)*k, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			x, y := offset(i, batch, stridesA)*m*k, offset(i, batch, stridesB)*k*n
			kernel.Gemm(false, false, m, n, k, 1, a.floats[x:], k, b.floats[y:], n, 0, out.floats[i*m*n:], n)
		}
	})
	return out, nil
}
