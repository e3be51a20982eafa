package kernel

func siluGeneric[T Float](out, x []T) {
	for i, v := range x {
		out[i] = v * sigmoid(v)
	}
}

func siluBackwardGeneric[T Float](dX, dOut, x []T) {
	for i, v := range x {
		s := sigmoid(v)
		dX[i] += dOut[i] * s * (1 + v*(1-s))
	}
}
