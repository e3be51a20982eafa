//go:build !purego && amd64

package kernel

func dropout[T Float](s set, out, x []T, counter [4]uint32, key [2]uint32, threshold uint32, scale T) {
	if s == avx512 {
		dropoutAVX512(first(out), first(x), len(x), counter, key, threshold, float32(scale))
	} else if s == avx2 {
		dropoutAVX2(first(out), first(x), len(x), counter, key, threshold, float32(scale))
	} else {
		dropoutGeneric(out, x, counter, key, threshold, scale)
	}
}
