package kernel

// tiling is how a kernel set divides products.
//
// blockN x blockK of op(B) fill most of a second-level cache, tileM x blockK of op(A) half of a first-level cache.
// blockK and unitK decide the order of summation, and so the bits.
type tiling[T Float] struct {
	set                    set
	tileM, tileN           int // the largest tile of C that is computed at once, from registers
	unitM                  int // rows of a tile are a multiple of it; missing ones are computed in vain
	blockM, blockN, blockK int
	// An operand is not worth packing for products with so many lines of the other: one of which lines are neighbours in
	// memory, and one of which steps are.
	inPlaceLines, inPlaceSteps int
}

// unitK is a vector of steps, so that blocks are packed by whole ones.
const unitK = 16

// tilingBy returns the tiling of a kernel set.
func tilingBy[T Float](s set) tiling[T] {
	switch s {
	case avx512:
		return tiling[T]{set: s, tileM: 14, tileN: 32, unitM: 1, blockM: 1024, blockN: 512, blockK: 384,
			inPlaceLines: 512, inPlaceSteps: 1024}
	case avx2:
		return tiling[T]{set: s, tileM: 6, tileN: 16, unitM: 1, blockM: 1024, blockN: 512, blockK: 384,
			inPlaceLines: 512, inPlaceSteps: 1024}
	}
	return tiling[T]{set: s, tileM: 4, tileN: 2, unitM: 4, blockM: 128, blockN: 512, blockK: 384}
}
