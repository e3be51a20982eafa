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

// forward sets n.Output to the normalization of n.Sum.
func (l layerNorm[T]) forward(p *pool, n *normalized[T], eps float64) {
	columns := len(l.weight)
	p.rows(len(n.Mean), func(_, lo, hi int) {
		a, b := lo*columns, hi*columns
		kernel.LayerNorm(n.Output[a:b], n.Mean[lo:hi], n.RStd[lo:hi], n.Sum[a:b], l.weight, l.bias, T(eps))
	})
}

// backward adds to dX, the gradient of n.Sum, and to the gradients d of l, given that of n.Output.
// The sums over rows are made tile by tile and added in the order of the tiles.
func (l layerNorm[T]) backward(p *pool, a *arena[T], dX []T, d layerNorm[T], dOut []T, n *normalized[T]) {
	columns := len(l.weight)
	rows := len(n.Mean)
	mark := a.mark()
	partial := a.zeroed(tiles(rows) * 2 * columns)
	p.rows(rows, func(i, lo, hi int) {
		x, y := lo*columns, hi*columns
		dWeight := partial[2*i*columns:][:columns]
		dBias := partial[(2*i+1)*columns:][:columns]
		kernel.LayerNormBackward(dX[x:y], dWeight, dBias, dOut[x:y], n.Sum[x:y], n.Mean[lo:hi], n.RStd[lo:hi], l.weight)
	})
	for i := range tiles(rows) {
		kernel.Add(d.weight, partial[2*i*columns:][:columns])
		kernel.Add(d.bias, partial[(2*i+1)*columns:][:columns])
	}
	a.release(mark)
}
