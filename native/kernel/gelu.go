package kernel

import "math"

// GELU sets out = x·Φ(x) = x/2·(1 + erf(x/√2)). out may be x.
//
// Hendrycks and Gimpel, "Gaussian Error Linear Units", arXiv:1606.08415.
func GELU[T Float](out, x []T) {
	out = out[:len(x)]
	for i, v := range x {
		out[i] = v * T(normalCDF(float64(v)))
	}
}

// GELUBackward sets dX = dOut·(Φ(x) + x·φ(x)), φ being the normal density. dX may be dOut.
func GELUBackward[T Float](dX, dOut, x []T) {
	dX, dOut = dX[:len(x)], dOut[:len(x)]
	for i, v := range x {
		x := float64(v)
		density := math.Exp(-x*x/2) / math.Sqrt(2*math.Pi)
		dX[i] = dOut[i] * T(normalCDF(x)+x*density)
	}
}

// normalCDF is Φ. By erfc, because 1 + erf loses all digits where Φ is small.
func normalCDF(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }

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
