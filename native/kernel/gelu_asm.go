//go:build !purego && amd64

package kernel

func gelu[T Float](s set, out, x []T) {
	if s == avx512 {
		geluAVX512(first(out), first(x), len(x))
	} else if s == avx2 {
		geluAVX2(first(out), first(x), len(x))
	} else {
		geluGeneric(out, x)
	}
}

func geluBackward[T Float](s set, dX, dOut, x []T) {
	if s == avx512 {
		geluBackwardAVX512(first(dX), first(dOut), first(x), len(x))
	} else if s == avx2 {
		geluBackwardAVX2(first(dX), first(dOut), first(x), len(x))
	} else {
		geluBackwardGeneric(dX, dOut, x)
	}
}

func geluNew[T Float](s set, out, x []T) {
	if s == avx512 {
		geluNewAVX512(first(out), first(x), len(x))
	} else if s == avx2 {
		geluNewAVX2(first(out), first(x), len(x))
	} else {
		geluNewGeneric(out, x)
	}
}

func geluNewBackward[T Float](s set, dX, dOut, x []T) {
	if s == avx512 {
		geluNewBackwardAVX512(first(dX), first(dOut), first(x), len(x))
	} else if s == avx2 {
		geluNewBackwardAVX2(first(dX), first(dOut), first(x), len(x))
	} else {
		geluNewBackwardGeneric(dX, dOut, x)
	}
}
