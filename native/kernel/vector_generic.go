package kernel

func addGeneric[T Float](dst, src []T) {
	for i, v := range src {
		dst[i] += v
	}
}

func axpyGeneric[T Float](alpha T, x, y []T) {
	for i, v := range x {
		y[i] += alpha * v
	}
}

func sumSquaresGeneric[T Float](x []T) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return sum
}
