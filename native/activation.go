package native

import (
	"goalbert/models"
	"goalbert/native/kernel"
)

// activate sets out = f(x) for the configured hidden_act.
func activate[T kernel.Float](act models.Activation, out, x []T) {
	switch act {
	case models.GELU:
		kernel.GELU(out, x)
	case models.ReLU:
		kernel.ReLU(out, x)
	case models.SiLU:
		kernel.SiLU(out, x)
	default:
		kernel.GELUNew(out, x)
	}
}

// activateBackward sets dX = dOut·f'(x); dX may be dOut.
func activateBackward[T kernel.Float](act models.Activation, dX, dOut, x []T) {
	switch act {
	case models.GELU:
		kernel.GELUBackward(dX, dOut, x)
	case models.ReLU:
		kernel.ReLUBackward(dX, dOut, x)
	case models.SiLU:
		kernel.SiLUBackward(dX, dOut, x)
	default:
		kernel.GELUNewBackward(dX, dOut, x)
	}
}
