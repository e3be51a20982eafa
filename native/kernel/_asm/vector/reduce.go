package vector

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Reduce combines the elements of x, in halves, by an instruction of three operands, and returns a vector whose elements
// are all the result.
func (s Set) Reduce(x reg.VecVirtual, combine func(a, b, to Op)) reg.VecVirtual {
	if s.Bytes == 64 {
		high := YMM()
		VEXTRACTF64X4(U8(1), x, high)
		combine(high, x.AsY(), x.AsY())
	}
	high := XMM()
	VEXTRACTF128(U8(1), x.AsY(), high)
	combine(high, x.AsX(), x.AsX())
	VPERMILPS(U8(0b1110), x.AsX(), high)
	combine(high, x.AsX(), x.AsX())
	VPERMILPS(U8(0b01), x.AsX(), high)
	combine(high, x.AsX(), x.AsX())
	all := s.Vector()
	VBROADCASTSS(x.AsX(), all)
	return all
}

// Add and Max are what Reduce combines by.
func Add(a, b, to Op) { VADDPS(a, b, to) }
func Max(a, b, to Op) { VMAXPS(a, b, to) }
