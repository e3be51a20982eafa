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

// GELUBackward sets dX += dOut·(Φ(x) + x·φ(x)), φ being the normal density.
func GELUBackward[T Float](dX, dOut, x []T) {
	dX, dOut = dX[:len(x)], dOut[:len(x)]
	for i, v := range x {
		x := float64(v)
		density := math.Exp(-x*x/2) / math.Sqrt(2*math.Pi)
		dX[i] += dOut[i] * T(normalCDF(x)+x*density)
	}
}

// normalCDF is Φ. By erfc, because 1 + erf loses all digits where Φ is small.
func normalCDF(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }

// The constants of the tanh form: √(2/π), and 0.044715 of the paper.
const (
	geluScale = 0.7978845608028654
	geluCubic = 0.044715
)

// GELUNew sets out = x/2·(1 + tanh(u)), u = √(2/π)·(x + 0.044715x³): the tanh form of GELU, which transformers calls
// gelu_new. out may be x.
func GELUNew[T Float](out, x []T) {
	out = out[:len(x)]
	for i, v := range x {
		out[i] = v * sigmoid(2*geluInner(v))
	}
}

// GELUNewBackward sets dX += dOut·f'(x). With σ = (1 + tanh(u))/2 the derivative is
//
//	f'(x) = σ + x·2σ(1-σ)·u',   u' = √(2/π)·(1 + 3·0.044715x²)
func GELUNewBackward[T Float](dX, dOut, x []T) {
	dX, dOut = dX[:len(x)], dOut[:len(x)]
	for i, v := range x {
		s := sigmoid(2 * geluInner(v))
		slope := geluScale * (1 + 3*geluCubic*v*v)
		dX[i] += dOut[i] * (s + v*2*s*(1-s)*slope)
	}
}

func geluInner[T Float](x T) T { return geluScale * (x + geluCubic*x*x*x) }

// sigmoid returns 1/(1 + e⁻ˣ), which is (1 + tanh(x/2))/2 without the cancellation at negative x.
func sigmoid[T Float](x T) T { return T(1 / (1 + math.Exp(-float64(x)))) }
