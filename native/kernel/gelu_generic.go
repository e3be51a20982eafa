package kernel

import "math"

// The constants of the tanh form: √(2/π), and 0.044715 of the paper.
const (
	geluScale = 0.7978845608028654
	geluCubic = 0.044715
)

func geluGeneric[T Float](out, x []T) {
	for i, v := range x {
		out[i] = v * T(normalCDF(float64(v)))
	}
}

func geluBackwardGeneric[T Float](dX, dOut, x []T) {
	for i, v := range x {
		x := float64(v)
		density := math.Exp(-x*x/2) / math.Sqrt(2*math.Pi)
		dX[i] = dOut[i] * T(normalCDF(x)+x*density)
	}
}

// normalCDF is Φ. By erfc, because 1 + erf loses all digits where Φ is small.
func normalCDF(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }

func geluNewGeneric[T Float](out, x []T) {
	for i, v := range x {
		out[i] = v * sigmoid(2*geluInner(v))
	}
}

func geluNewBackwardGeneric[T Float](dX, dOut, x []T) {
	for i, v := range x {
		s := sigmoid(2 * geluInner(v))
		slope := geluScale * (1 + 3*geluCubic*v*v)
		dX[i] = dOut[i] * (s + v*2*s*(1-s)*slope)
	}
}

func geluInner[T Float](x T) T { return geluScale * (x + geluCubic*x*x*x) }

// sigmoid returns 1/(1 + e⁻ˣ), which is (1 + tanh(x/2))/2 without the cancellation at negative x.
func sigmoid[T Float](x T) T { return T(1 / (1 + math.Exp(-float64(x)))) }
