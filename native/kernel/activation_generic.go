package kernel

import "math"

func siluGeneric[T Float](out, x []T) {
	for i, v := range x {
		out[i] = v * sigmoid(v)
	}
}

func siluBackwardGeneric[T Float](dX, dOut, x []T) {
	for i, v := range x {
		s := sigmoid(v)
		dX[i] = dOut[i] * s * (1 + v*(1-s))
	}
}

func tanhGeneric[T Float](out, x []T) {
	for i, v := range x {
		out[i] = T(math.Tanh(float64(v)))
	}
}

func tanhBackwardGeneric[T Float](dX, dOut, y []T) {
	for i, v := range y {
		dX[i] = dOut[i] * (1 - v*v)
	}
}
