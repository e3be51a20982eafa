//go:build !purego && amd64

package kernel

func silu[T Float](s set, out, x []T) {
	if s == avx512 {
		siluAVX512(first(out), first(x), len(x))
	} else if s == avx2 {
		siluAVX2(first(out), first(x), len(x))
	} else {
		siluGeneric(out, x)
	}
}

func siluBackward[T Float](s set, dX, dOut, x []T) {
	if s == avx512 {
		siluBackwardAVX512(first(dX), first(dOut), first(x), len(x))
	} else if s == avx2 {
		siluBackwardAVX2(first(dX), first(dOut), first(x), len(x))
	} else {
		siluBackwardGeneric(dX, dOut, x)
	}
}

func tanh[T Float](s set, out, x []T) {
	if s == avx512 {
		tanhAVX512(first(out), first(x), len(x))
	} else if s == avx2 {
		tanhAVX2(first(out), first(x), len(x))
	} else {
		tanhGeneric(out, x)
	}
}

func tanhBackward[T Float](s set, dX, dOut, y []T) {
	if s == avx512 {
		tanhBackwardAVX512(first(dX), first(dOut), first(y), len(y))
	} else if s == avx2 {
		tanhBackwardAVX2(first(dX), first(dOut), first(y), len(y))
	} else {
		tanhBackwardGeneric(dX, dOut, y)
	}
}
