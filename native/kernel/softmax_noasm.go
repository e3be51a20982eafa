//go:build purego || !amd64

package kernel

func scaledSoftmax[T Float](_ set, out, x []T, columns int, scale, factor T) {
	scaledSoftmaxGeneric(out, x, columns, scale, factor)
}

func softmaxBackward[T Float](_ set, dX, dP, p []T, columns int, scale T) {
	softmaxBackwardGeneric(dX, dP, p, columns, scale)
}

func sumExp[T Float](_ set, x []T) (top T, sum float64) { return sumExpGeneric(x) }
