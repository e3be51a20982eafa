package vector

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A Loop goes over n elements: by whole vectors, then once over those that are left, under a mask. Which lane an element
// is in depends on its index alone, so that sums have the same bits wherever the elements lie in memory.
type Loop struct {
	set   Set
	n     reg.Register
	whole reg.GPVirtual // how many are in whole vectors
	mask  reg.Register  // of the others
}

// A Place is where a loop is.
type Place struct {
	set   Set
	index reg.Register
	ahead int          // bytes that it is before index
	mask  reg.Register // nil where the vector is whole
}

// Loop returns one that may run as often as need be.
func (s Set) Loop(n reg.Register) Loop {
	l := Loop{set: s, n: n, whole: GP64()}
	MOVQ(n, l.whole)
	ANDQ(I8(-s.Lanes()), l.whole)
	rest := GP64()
	MOVQ(n, rest)
	SUBQ(l.whole, rest)
	if s.Bytes == 64 {
		ones, mask := GP64(), K()
		MOVQ(I32(-1), ones)
		BZHIQ(rest, ones, ones)
		KMOVW(ones.As32(), mask)
		l.mask = mask
	} else {
		window, mask := GP64(), YMM() // of 8 lanes, the first rest of them within the ones
		LEAQ(onesAndZeros, window)
		NEGQ(rest)
		VMOVUPS(Mem{Base: window, Index: rest, Scale: Float, Disp: s.Bytes}, mask)
		l.mask = mask
	}
	return l
}

// onesAndZeros is 8 elements of ones and 8 of zeros.
var onesAndZeros = func() Mem {
	table := GLOBL("onesAndZeros", attr.RODATA|attr.NOPTR)
	for i := range 16 {
		DATA(i*Float, U32(uint32(i/8-1)))
	}
	return table
}()

var labels int

// newLabel returns a name that no other label has.
func newLabel(name string) string {
	labels++
	return fmt.Sprintf("%s%d", name, labels)
}

// Each runs do for each vector.
func (l Loop) Each(do func(at Place)) {
	vectors, rest, done := newLabel("vectors"), newLabel("rest"), newLabel("done")
	i := GP64()
	XORQ(i, i)
	CMPQ(l.whole, U8(0))
	JE(LabelRef(rest))
	Label(vectors)
	do(Place{set: l.set, index: i})
	ADDQ(U8(l.set.Lanes()), i)
	CMPQ(i, l.whole)
	JLT(LabelRef(vectors))
	Label(rest)
	CMPQ(i, l.n)
	JE(LabelRef(done))
	do(Place{set: l.set, index: i, mask: l.mask})
	Label(done)
}

// Pairs runs do for every two vectors of n elements; of the last two, a part or all may be behind the end.
func (s Set) Pairs(n reg.Register, do func(at [2]Place)) {
	pairs, rest, done := newLabel("pairs"), newLabel("rest"), newLabel("done")
	i, left := GP64(), GP64()
	XORQ(i, i)
	MOVQ(n, left)
	CMPQ(left, U8(2*s.Lanes()))
	JLT(LabelRef(rest))
	Label(pairs)
	do([2]Place{{set: s, index: i}, {set: s, index: i, ahead: s.Bytes}})
	ADDQ(U8(2*s.Lanes()), i)
	SUBQ(U8(2*s.Lanes()), left)
	CMPQ(left, U8(2*s.Lanes()))
	JGE(LabelRef(pairs))
	Label(rest)
	CMPQ(left, U8(0))
	JE(LabelRef(done))
	do([2]Place{
		{set: s, index: i, mask: s.below(left, 0)},
		{set: s, index: i, mask: s.below(left, s.Lanes()), ahead: s.Bytes},
	})
	Label(done)
}

// below returns the mask of a vector's lanes whose number, counted from first, is below n.
func (s Set) below(n reg.Register, first int) reg.Register {
	numbers := make([]uint32, s.Lanes())
	for i := range numbers {
		numbers[i] = uint32(first + i)
	}
	limit := s.Vector()
	VMOVQ(n, limit.AsX())
	VPBROADCASTD(limit.AsX(), limit)
	if s.Bytes == 64 {
		mask := K()
		VPCMPGTD(Table(numbers...), limit, mask)
		return mask
	}
	VPCMPGTD(Table(numbers...), limit, limit)
	return limit
}

// Times runs do count times, count being 0 or more.
func Times(count reg.Register, do func()) {
	again, done := newLabel("again"), newLabel("done")
	TESTQ(count, count)
	JE(LabelRef(done))
	Label(again)
	do()
	DECQ(count)
	JNZ(LabelRef(again))
	Label(done)
}

func (at Place) address(base reg.Register) Mem {
	return Mem{Base: base, Index: at.index, Scale: Float, Disp: at.ahead}
}

// Load returns the elements of a slice that begins at base. Those behind its end are 0.
func (at Place) Load(base reg.Register) reg.VecVirtual {
	x := at.set.Vector()
	switch {
	case at.mask == nil:
		VMOVUPS(at.address(base), x)
	case at.set.Bytes == 64:
		VMOVUPS_Z(at.address(base), at.mask, x)
	default:
		VMASKMOVPS(at.address(base), at.mask, x)
	}
	return x
}

// Store writes the elements of a slice that begins at base.
func (at Place) Store(x reg.VecVirtual, base reg.Register) {
	switch {
	case at.mask == nil:
		VMOVUPS(x, at.address(base))
	case at.set.Bytes == 64:
		VMOVUPS(x, at.mask, at.address(base))
	default:
		VMASKMOVPS(x, at.mask, at.address(base))
	}
}

// Else sets the elements of x behind the end of the slice to those of other.
func (at Place) Else(other Op, x reg.VecVirtual) {
	switch {
	case at.mask == nil:
	case at.set.Bytes == 64:
		y := at.set.Vector()
		VMOVUPS(other, y)
		VMOVAPS(x, at.mask, y)
		VMOVAPS(y, x)
	default:
		y := at.set.Vector()
		VMOVUPS(other, y)
		VBLENDVPS(at.mask, x, y, x)
	}
}

// Advance moves pointers to slices of float32 by count elements.
func Advance(count reg.Register, pointers ...reg.Register) {
	for _, p := range pointers {
		LEAQ(Mem{Base: p, Index: count, Scale: Float}, p)
	}
}
