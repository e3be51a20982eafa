package kernel

// tiling is how products of one precision are divided by a kernel set.
//
// In bf16 an element of an operand is two neighbouring steps, rounded, in the place of one float32: the loops, the blocks
// and the panels are the same, with half as many steps.
//
// blockN x blockK of op(B) and as much of op(A) fill a second-level cache, tileM x blockK of op(A) stays in a first-level
// cache. blockK decides the order of summation, and so the bits.
type tiling[T Float] struct {
	set                    set
	precision              Precision
	tileM, tileN           int // the largest tile of C that is computed at once, from registers
	unitM                  int // rows of a tile are a multiple of it; missing ones are computed in vain
	blockM, blockN, blockK int // in lines, lines, and elements
	// An operand is not worth packing for products with so many lines of the other: one of which lines are neighbours in
	// memory, and one of which steps are.
	inPlaceLines, inPlaceSteps int
}

// unitK is a vector of elements, so that blocks are packed by whole ones.
const unitK = 16

// PackUnit is what the rows that Packed.Pack begins with are a multiple of.
const PackUnit = 32

// tilings lists all of float32, whether this processor has them or not.
var tilings = []struct {
	tiling[float32]
	available bool
}{
	{tilingOf[float32](portable, Full), true},
	{tilingOf[float32](avx2, Full), hasAVX2},
	{tilingOf[float32](avx512, Full), hasAVX512},
	{tilingOf[float32](avx512, BF16), hasBF16},
}

// tilingOf returns the tiling of a kernel set, which must have the precision.
func tilingOf[T Float](s set, p Precision) tiling[T] {
	switch s {
	case avx512:
		t := tiling[T]{set: s, precision: p, tileM: 14, tileN: 32, unitM: 1, blockM: 256, blockN: 128, blockK: 768,
			inPlaceLines: 256, inPlaceSteps: 512}
		if p == BF16 {
			t.inPlaceLines, t.inPlaceSteps = 0, 0
		}
		return t
	case avx2:
		return tiling[T]{set: s, tileM: 6, tileN: 16, unitM: 1, blockM: 256, blockN: 128, blockK: 768,
			inPlaceLines: 256, inPlaceSteps: 512}
	}
	return tiling[T]{set: s, tileM: 4, tileN: 2, unitM: 4, blockM: 128, blockN: 512, blockK: 384}
}

// steps is how many steps an element has.
func (by tiling[T]) steps() int {
	if by.precision == BF16 {
		return 2
	}
	return 1
}

// elements returns how many elements hold that many steps.
func (by tiling[T]) elements(steps int) int { return (steps + by.steps() - 1) / by.steps() }

// depth returns the steps of a block, where there are k in all.
func (by tiling[T]) depth(k int) int { return even(by.elements(k), by.blockK, unitK) * by.steps() }

// padded is the width to which columns are filled up.
func (by tiling[T]) padded(n int) int { return (n + by.tileN - 1) / by.tileN * by.tileN }

func (by tiling[T]) String() string {
	if by.precision == BF16 {
		return "avx512 bf16"
	}
	return by.set.String()
}
