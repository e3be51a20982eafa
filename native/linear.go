package native

import "goalbert/native/kernel"

// linear is y = xWᵀ + b with weight (out, in) and bias (out), or their gradients, which are not packed.
//
// The products with W and with Wᵀ read copies in kernel order, made once for each update of the weights: a shared layer
// is multiplied with by every depth, in both directions, in every micro-batch.
type linear[T kernel.Float] struct {
	weight, bias []T
	transposed   kernel.Packed[T] // Wᵀ (in, out), for y = xWᵀ
	packed       kernel.Packed[T] // W (out, in), for dX = dY·W
}

func (l *linear[T]) out() int { return len(l.bias) }
func (l *linear[T]) in() int  { return len(l.weight) / len(l.bias) }

// forward sets y = xWᵀ + b for rows x (rows, in) and y (rows, out).
func (l *linear[T]) forward(y, x []T) {
	in, out := l.in(), l.out()
	l.transposed.Multiply(false, len(x)/in, x, in, y, out, l.bias, 0)
}

// backward sets dX = dY·W + plus, for rows dX (rows, in), plus, which may be nil, and dY (rows, out).
func (l *linear[T]) backward(dX, dY, plus []T) {
	in, out := l.in(), l.out()
	l.packed.Multiply(false, len(dY)/out, dY, out, dX, in, plus, in)
}

// linearGradient is the gradient of one use of a linear: d.weight += dYᵀ·x and d.bias += Σ rows of dY, dY (rows, out)
// being the gradient of its output and x (rows, in) its input, packed.
type linearGradient[T kernel.Float] struct {
	d  *linear[T]
	dY []T
	x  kernel.Packed[T]
}

func (g *linearGradient[T]) parts() int {
	if g.d == nil {
		return 0
	}
	return outputTiles(g.d.out()).count()
}

// do is part i: some rows of the gradient.
func (g *linearGradient[T]) do(i int) {
	in, out := g.d.in(), g.d.out()
	s := outputTiles(out).at(i)
	rows := len(g.dY) / out
	dWeight := part(g.d.weight, s, in)
	g.x.Multiply(true, s.rows(), g.dY[s.lo:], out, dWeight, in, dWeight, in)
	for row := range rows {
		kernel.Add(g.d.bias[s.lo:s.hi], g.dY[row*out+s.lo:row*out+s.hi])
	}
}

// linearGradients are those of several linears, as one task.
type linearGradients[T kernel.Float] [4]linearGradient[T]

func (g *linearGradients[T]) parts() int {
	n := 0
	for i := range g {
		n += g[i].parts()
	}
	return n
}

func (g *linearGradients[T]) do(_, i int) {
	for j := range g {
		if n := g[j].parts(); i >= n {
			i -= n
		} else {
			g[j].do(i)
			return
		}
	}
}
