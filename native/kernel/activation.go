package kernel

// ReLU sets out = max(x, 0). out may be x.
func ReLU[T Float](out, x []T) {
	out = out[:len(x)]
	for i, v := range x {
		out[i] = max(v, 0)
	}
}

// ReLUBackward sets dX = dOut where x > 0, else 0: at 0 the derivative is 0, as PyTorch has it. dX may be dOut.
func ReLUBackward[T Float](dX, dOut, x []T) {
	dX, dOut = dX[:len(x)], dOut[:len(x)]
	for i, v := range x {
		if v > 0 {
			dX[i] = dOut[i]
		} else {
			dX[i] = 0
		}
	}
}

// SiLU sets out = x·σ(x), σ(x) = 1/(1 + e⁻ˣ). out may be x.
//
// Within 3·2⁻²⁴ of the exact value, relative; in assembly 0 where e⁻ˣ is beyond float32, below -88.7.
func SiLU[T Float](out, x []T) { silu(setOf[T](), out[:len(x)], x) }

// SiLUBackward sets dX = dOut·σ(x)·(1 + x·(1 - σ(x))). dX may be dOut.
func SiLUBackward[T Float](dX, dOut, x []T) { siluBackward(setOf[T](), dX[:len(x)], dOut[:len(x)], x) }

// Tanh sets out = tanh(x), within 3·2⁻²⁴ of it, relative. out may be x.
func Tanh[T Float](out, x []T) { tanh(setOf[T](), out[:len(x)], x) }

// TanhBackward sets dX = dOut·(1 - y²), y being tanh(x). dX may be dOut.
func TanhBackward[T Float](dX, dOut, y []T) { tanhBackward(setOf[T](), dX[:len(y)], dOut[:len(y)], y) }
