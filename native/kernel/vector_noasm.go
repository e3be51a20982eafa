//go:build purego || !amd64

package kernel

func add[T Float](_ set, dst, src []T) {
	addGeneric(dst, src)
}

func axpy[T Float](_ set, alpha T, x, y []T) {
	axpyGeneric(alpha, x, y)
}

func sumSquares[T Float](_ set, x []T) float64 { return sumSquaresGeneric(x) }
