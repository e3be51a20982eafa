package native

import (
	"goalbert/models"
	"goalbert/native/kernel"
)

// activate sets out = f(x) for the configured hidden_act; both are (rows, columns).
func activate[T kernel.Float](p *pool, act models.Activation, out, x []T, columns int) {
	f := kernel.GELUNew[T]
	switch act {
	case models.GELU:
		f = kernel.GELU[T]
	case models.ReLU:
		f = kernel.ReLU[T]
	case models.SiLU:
		f = kernel.SiLU[T]
	}
	p.rows(len(x)/columns, func(_, lo, hi int) { f(out[lo*columns:hi*columns], x[lo*columns:hi*columns]) })
}

// activateBackward adds dOut·f'(x) to dX.
func activateBackward[T kernel.Float](p *pool, act models.Activation, dX, dOut, x []T, columns int) {
	f := kernel.GELUNewBackward[T]
	switch act {
	case models.GELU:
		f = kernel.GELUBackward[T]
	case models.ReLU:
		f = kernel.ReLUBackward[T]
	case models.SiLU:
		f = kernel.SiLUBackward[T]
	}
	p.rows(len(x)/columns, func(_, lo, hi int) {
		f(dX[lo*columns:hi*columns], dOut[lo*columns:hi*columns], x[lo*columns:hi*columns])
	})
}
