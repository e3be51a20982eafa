package native

import (
	"goalbert/models"
	"goalbert/native/kernel"
)

// ffnForward sets out (T, H) = ffn_output(f(ffn(x))), and act's two intermediates (T, I).
func (l *layer[T]) ffnForward(p *pool, f models.Activation, out []T, act *LayerActivations[T], x []T) {
	l.ffn.forward(p, act.FFN, x)
	activate(p, f, act.FFNActivation, act.FFN, len(l.ffn.bias))
	l.ffnOutput.forward(p, out, act.FFNActivation)
}

// ffnBackward adds to dX and to the gradients d of l, given dOut and the input x.
func (l *layer[T]) ffnBackward(p *pool, a *arena[T], f models.Activation, dX []T, d *layer[T], dOut []T, act *LayerActivations[T], x []T) {
	mark := a.mark()
	dActivation := a.zeroed(len(act.FFNActivation))
	l.ffnOutput.backward(p, dActivation, d.ffnOutput, dOut, act.FFNActivation)
	dFFN := a.zeroed(len(act.FFN))
	activateBackward(p, f, dFFN, dActivation, act.FFN, len(l.ffn.bias))
	l.ffn.backward(p, dX, d.ffn, dFFN, x)
	a.release(mark)
}

// residual sets sum = x + drop(y) (T, H); y holds drop(y) afterwards.
func residual[T kernel.Float](p *pool, drop *dropper[T], sum, x, y []T, columns int) {
	if drop != nil {
		drop.tokens(p, y, y, columns)
	}
	p.rows(len(x)/columns, func(_, lo, hi int) {
		copy(sum[lo*columns:hi*columns], x[lo*columns:hi*columns])
		kernel.Add(sum[lo*columns:hi*columns], y[lo*columns:hi*columns])
	})
}

// residualBackward returns the gradient of y, given that of the sum: dSum itself where nothing was dropped.
func residualBackward[T kernel.Float](p *pool, a *arena[T], drop *dropper[T], dSum []T, columns int) []T {
	if drop == nil {
		return dSum
	}
	dY := a.take(len(dSum))
	drop.tokens(p, dY, dSum, columns)
	return dY
}
