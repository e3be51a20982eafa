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
