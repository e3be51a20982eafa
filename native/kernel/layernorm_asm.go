//go:build !purego && amd64

package kernel

func layerNorm[T Float](s set, out, mean, rstd, x, weight, bias []T, eps T) {
	if s == avx512 {
		layerNormAVX512(first(out), first(mean), first(rstd), first(x), first(weight), first(bias),
			len(mean), len(weight), float32(eps))
	} else if s == avx2 {
		layerNormAVX2(first(out), first(mean), first(rstd), first(x), first(weight), first(bias),
			len(mean), len(weight), float32(eps))
	} else {
		layerNormGeneric(out, mean, rstd, x, weight, bias, eps)
	}
}

func layerNormBackward[T Float](s set, dX, dWeight, dBias, dOut, x, mean, rstd, weight []T) {
	if s == avx512 {
		layerNormBackwardAVX512(first(dX), first(dWeight), first(dBias), first(dOut), first(x), first(mean), first(rstd),
			first(weight), len(mean), len(weight))
	} else if s == avx2 {
		layerNormBackwardAVX2(first(dX), first(dWeight), first(dBias), first(dOut), first(x), first(mean), first(rstd),
			first(weight), len(mean), len(weight))
	} else {
		layerNormBackwardGeneric(dX, dWeight, dBias, dOut, x, mean, rstd, weight)
	}
}
