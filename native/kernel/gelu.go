package kernel

// GELU sets out = x·Φ(x) = x/2·(1 + erf(x/√2)). out may be x.
//
// In assembly it is within 8·2⁻²⁴ of the exact value, relative, wherever Φ(x) is a normal number of float32.
//
// Hendrycks and Gimpel, "Gaussian Error Linear Units", arXiv:1606.08415.
func GELU[T Float](out, x []T) { gelu(setOf[T](), out[:len(x)], x) }

// GELUBackward sets dX = dOut·(Φ(x) + x·φ(x)), φ being the normal density. dX may be dOut.
func GELUBackward[T Float](dX, dOut, x []T) { geluBackward(setOf[T](), dX[:len(x)], dOut[:len(x)], x) }

// GELUNew sets out = x/2·(1 + tanh(u)), u = √(2/π)·(x + 0.044715x³): the tanh form of GELU, which transformers calls
// gelu_new. out may be x.
//
// In assembly e⁻²ᵘ is within 1 unit in the last place for the argument that float32 has; beyond float32's range σ is 0.
func GELUNew[T Float](out, x []T) { geluNew(setOf[T](), out[:len(x)], x) }

// GELUNewBackward sets dX = dOut·f'(x). dX may be dOut. With σ = (1 + tanh(u))/2 the derivative is
//
//	f'(x) = σ + x·2σ(1-σ)·u',   u' = √(2/π)·(1 + 3·0.044715x²)
func GELUNewBackward[T Float](dX, dOut, x []T) {
	geluNewBackward(setOf[T](), dX[:len(x)], dOut[:len(x)], x)
}
