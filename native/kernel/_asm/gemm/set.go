package main

import (
	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A set is a vector unit: its registers, and the largest tile that they hold. A tile of rows x 2 vectors takes two
// registers for a step of B, two for elements of A, and the rest for sums.
type set struct {
	name  string
	rows  int
	bytes int // of a vector
	wide  []reg.VecPhysical
}

const float = 4 // bytes

var avx512 = set{name: "AVX512", rows: 14, bytes: 64, wide: []reg.VecPhysical{
	reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7, reg.Z8, reg.Z9, reg.Z10,
	reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15, reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21,
	reg.Z22, reg.Z23, reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31,
}}

var avx2 = set{name: "AVX2", rows: 6, bytes: 32, wide: []reg.VecPhysical{
	reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7, reg.Y8, reg.Y9, reg.Y10,
	reg.Y11, reg.Y12, reg.Y13, reg.Y14, reg.Y15,
}}

// lanes is the number of elements of a vector.
func (s set) lanes() int { return s.bytes / float }

func (s set) zero(x reg.VecPhysical) {
	if s.bytes == 64 {
		VPXORD(x, x, x)
	} else {
		VXORPS(x, x, x)
	}
}

// masks returns what loadMasked and storeMasked take for the first count elements of two vectors: mask registers, or the
// third and fourth vector.
func (s set) masks(count reg.Register) [2]reg.Register {
	if s.bytes == 64 {
		ones := GP64()
		MOVQ(I32(-1), ones)
		BZHIQ(count, ones, ones)
		KMOVW(ones.As32(), reg.K1)
		SHRQ(U8(16), ones)
		KMOVW(ones.As32(), reg.K2)
		return [2]reg.Register{reg.K1, reg.K2}
	}
	window := GP64() // of 16 lines, the first count within the ones
	LEAQ(onesAndZeros, window)
	NEGQ(count)
	VMOVUPS(Mem{Base: window, Index: count, Scale: float, Disp: 2 * s.bytes}, reg.Y2)
	VMOVUPS(Mem{Base: window, Index: count, Scale: float, Disp: 3 * s.bytes}, reg.Y3)
	NEGQ(count)
	return [2]reg.Register{reg.Y2, reg.Y3}
}

// onesAndZeros is 16 elements of ones and 16 of zeros.
var onesAndZeros = func() Mem {
	table := GLOBL("onesAndZeros", attr.RODATA|attr.NOPTR)
	for i := range 32 {
		DATA(i*float, U32(uint32(i/16-1)))
	}
	return table
}()

// loadMasked reads the elements that mask has and sets the others to zero.
func (s set) loadMasked(mask reg.Register, from Mem, to reg.VecPhysical) {
	if s.bytes == 64 {
		VMOVUPS_Z(from, mask, to)
	} else {
		VMASKMOVPS(from, mask, to)
	}
}

// storeMasked writes the elements that mask has.
func (s set) storeMasked(mask reg.Register, from reg.VecPhysical, to Mem) {
	if s.bytes == 64 {
		VMOVUPS(from, mask, to)
	} else {
		VMASKMOVPS(from, mask, to)
	}
}
