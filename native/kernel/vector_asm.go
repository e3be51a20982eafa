//go:build !purego && amd64

package kernel

func add[T Float](s set, dst, src []T) {
	if s == avx512 {
		addAVX512(first(dst), first(src), len(src))
	} else if s == avx2 {
		addAVX2(first(dst), first(src), len(src))
	} else {
		addGeneric(dst, src)
	}
}

func axpy[T Float](s set, alpha T, x, y []T) {
	if s == avx512 {
		axpyAVX512(float32(alpha), first(x), first(y), len(x))
	} else if s == avx2 {
		axpyAVX2(float32(alpha), first(x), first(y), len(x))
	} else {
		axpyGeneric(alpha, x, y)
	}
}

func sumSquares[T Float](s set, x []T) float64 {
	if s == avx512 {
		return sumSquaresAVX512(first(x), len(x))
	} else if s == avx2 {
		return sumSquaresAVX2(first(x), len(x))
	}
	return sumSquaresGeneric(x)
}
