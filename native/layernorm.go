package native

import "goalbert/native/kernel"

// layerNorm is a layer normalization's weight and bias (columns), or their gradients.
type layerNorm[T kernel.Float] struct{ weight, bias []T }

// normalized is what backward needs of a layer normalization of rows.
type normalized[T kernel.Float] struct {
	Sum    []T // (rows, columns): the input
	Mean   []T // (rows)
	RStd   []T // (rows): 1/√(variance + eps)
	Output []T // (rows, columns)
}

// forward sets rows s of n.Output to the normalization of n.Sum.
func (l *layerNorm[T]) forward(n *normalized[T], s span, eps float64) {
	columns := len(l.weight)
	kernel.LayerNorm(part(n.Output, s, columns), n.Mean[s.lo:s.hi], n.RStd[s.lo:s.hi], part(n.Sum, s, columns),
		l.weight, l.bias, T(eps))
}

// backward sets rows s of dX, the gradient of n.Sum, which may be dOut, that of n.Output, and adds to part i of the
// gradients of weight and bias.
func (l *layerNorm[T]) backward(dX []T, d *normGradients[T], i int, dOut []T, n *normalized[T], s span) {
	columns := len(l.weight)
	dWeight, dBias := d.part(i)
	kernel.LayerNormBackward(part(dX, s, columns), dWeight, dBias, part(dOut, s, columns), part(n.Sum, s, columns),
		n.Mean[s.lo:s.hi], n.RStd[s.lo:s.hi], l.weight)
}

// normGradients are the sums over the rows of each part of a task: two for each part, of weight and of bias.
type normGradients[T kernel.Float] struct {
	partial []T
	columns int
}

func newNormGradients[T kernel.Float](a *arena[T], parts, columns int) normGradients[T] {
	return normGradients[T]{a.take(parts * 2 * columns), columns}
}

func (g *normGradients[T]) part(i int) (dWeight, dBias []T) {
	both := g.partial[2*i*g.columns:][:2*g.columns]
	return both[:g.columns], both[g.columns:]
}

func (g *normGradients[T]) zero() { clear(g.partial) }

// addTo adds the parts to d, in their order.
func (g *normGradients[T]) addTo(d layerNorm[T]) {
	for i := range len(g.partial) / (2 * g.columns) {
		dWeight, dBias := g.part(i)
		kernel.Add(d.weight, dWeight)
		kernel.Add(d.bias, dBias)
	}
}
