//go:build !purego && amd64

package kernel

// multiplyAdds returns a function that does multiply-adds as often as it is told, and the operations of each time.
func multiplyAdds(s set, p Precision) (run func(n int), flops int) {
	const sums = 12
	switch {
	case s == avx512 && p == BF16:
		return multiplyAddPairsAVX512, 2 * sums * 32
	case s == avx512:
		return multiplyAddAVX512, 2 * sums * 16
	case s == avx2:
		return multiplyAddAVX2, 2 * sums * 8
	}
	return nil, 0
}
