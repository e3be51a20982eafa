package native

import "goalbert/native/kernel"

// linear is y = xWᵀ + b with weight (out, in) and bias (out), or their gradients.
type linear[T kernel.Float] struct{ weight, bias []T }

// forward sets y = xWᵀ + b, x being (rows, in) and y (rows, out).
func (l linear[T]) forward(p *pool, y, x []T) {
	out := len(l.bias)
	in := len(l.weight) / out
	p.rows(len(x)/in, func(_, lo, hi int) {
		tile := y[lo*out : hi*out]
		kernel.Gemm(false, true, hi-lo, out, in, 1, x[lo*in:], in, l.weight, in, 0, tile, out)
		kernel.AddBias(tile, l.bias)
	})
}

// backward adds to dX (rows, in) and to the gradients d of l, given dY (rows, out) and the input x:
//
//	dX += dY·W    dW += dYᵀ·x    db += Σ rows of dY
func (l linear[T]) backward(p *pool, dX []T, d linear[T], dY, x []T) {
	out := len(l.bias)
	matmulBackward(p, dX, d.weight, dY, x, l.weight, out)
	kernel.SumRows(d.bias, dY)
}

// matmulBackward adds to dX (rows, in) and dW (out, in) the gradients of y = xWᵀ.
func matmulBackward[T kernel.Float](p *pool, dX, dW, dY, x, w []T, out int) {
	in := len(w) / out
	rows := len(dY) / out
	if rows == 0 {
		return
	}
	p.rows(rows, func(_, lo, hi int) {
		kernel.Gemm(false, false, hi-lo, in, out, 1, dY[lo*out:], out, w, in, 1, dX[lo*in:], in)
	})
	p.rows(out, func(_, lo, hi int) {
		kernel.Gemm(true, false, hi-lo, in, rows, 1, dY[lo:], out, x, in, 1, dW[lo*in:], in)
	})
}
