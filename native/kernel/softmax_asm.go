//go:build !purego && amd64

package kernel

func scaledSoftmax[T Float](s set, out, x []T, columns int, scale, factor T) {
	rows := rowsOf(len(x), columns)
	if s == avx512 {
		scaledSoftmaxAVX512(first(out), first(x), rows, columns, float32(scale), float32(factor))
	} else if s == avx2 {
		scaledSoftmaxAVX2(first(out), first(x), rows, columns, float32(scale), float32(factor))
	} else {
		scaledSoftmaxGeneric(out, x, columns, scale, factor)
	}
}

func softmaxBackward[T Float](s set, dX, dP, p []T, columns int, scale T) {
	rows := rowsOf(len(p), columns)
	if s == avx512 {
		softmaxBackwardAVX512(first(dX), first(dP), first(p), rows, columns, float32(scale))
	} else if s == avx2 {
		softmaxBackwardAVX2(first(dX), first(dP), first(p), rows, columns, float32(scale))
	} else {
		softmaxBackwardGeneric(dX, dP, p, columns, scale)
	}
}

func sumExp[T Float](s set, x []T) (top T, sum float64) {
	var top32, sum32 float32
	if s == avx512 {
		top32, sum32 = sumExpAVX512(first(x), len(x))
	} else if s == avx2 {
		top32, sum32 = sumExpAVX2(first(x), len(x))
	} else {
		return sumExpGeneric(x)
	}
	return T(top32), float64(sum32)
}
