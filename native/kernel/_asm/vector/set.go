// Package vector writes what kernels for AVX-512 and AVX2 have in common: loops over slices of float32, constants,
// reductions and the exponential function.
package vector

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/gotypes"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A Set is a vector unit.
type Set struct {
	Name  string
	Bytes int // of a vector
}

// Float is the size of an element.
const Float = 4

// ForEachSet writes the functions of each set that define declares.
func ForEachSet(define func(s Set)) {
	ConstraintExpr("!purego")
	define(Set{"AVX512", 64})
	define(Set{"AVX2", 32})
	Generate()
}

// Function begins a function with the set's name behind its own.
func (s Set) Function(name, signature string, doc string) {
	TEXT(name+s.Name, NOSPLIT, "func("+signature+")")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s%s %s", name, s.Name, doc))
}

// Return ends a function.
func (s Set) Return() {
	VZEROUPPER()
	RET()
}

// Lanes is the number of elements of a vector.
func (s Set) Lanes() int { return s.Bytes / Float }

// Vector returns a new vector register.
func (s Set) Vector() reg.VecVirtual {
	if s.Bytes == 64 {
		return ZMM()
	}
	return YMM()
}

// Vectors returns n new vector registers.
func (s Set) Vectors(n int) []reg.VecVirtual {
	x := make([]reg.VecVirtual, n)
	for i := range x {
		x[i] = s.Vector()
	}
	return x
}

// Zero sets all elements to 0.
func (s Set) Zero(x reg.VecVirtual) { VXORPS(x, x, x) }

// Parameter returns a parameter in a general register.
func Parameter(name string) reg.Register { return Load(Param(name), GP64()) }

// Broadcast returns a vector whose elements are all a parameter.
func (s Set) Broadcast(name string) reg.VecVirtual { return s.BroadcastPart(Param(name)) }

// BroadcastPart is Broadcast of an element of a parameter, of 32 bits of any type.
func (s Set) BroadcastPart(part gotypes.Component) reg.VecVirtual {
	m, err := part.Resolve()
	if err != nil {
		panic(err)
	}
	x := s.Vector()
	VBROADCASTSS(m.Addr, x)
	return x
}

var constants = map[uint32]Mem{}

// All returns a vector in memory whose elements are all x.
func All(x float64) Mem { return Bits(math.Float32bits(float32(x))) }

// Bits is All by the bits of the elements.
func Bits(bits uint32) Mem {
	if m, ok := constants[bits]; ok {
		return m
	}
	m := GLOBL(fmt.Sprintf("all%08x", bits), attr.RODATA|attr.NOPTR)
	for i := range 16 {
		DATA(i*Float, U32(bits))
	}
	constants[bits] = m
	return m
}

// Table returns a vector in memory of these elements.
func Table(elements ...uint32) Mem {
	tables++
	m := GLOBL(fmt.Sprintf("table%d", tables), attr.RODATA|attr.NOPTR)
	for i, v := range elements {
		DATA(i*Float, U32(v))
	}
	return m
}

var tables int

// Count returns a vector whose elements are all a whole number.
func (s Set) Count(n reg.Register) reg.VecVirtual {
	one, x := XMM(), s.Vector()
	VXORPS(one, one, one)
	VCVTSI2SSQ(n, one, one)
	VBROADCASTSS(one, x)
	return x
}

// Widen sets to to the lower or the upper half of x in float64.
func (s Set) Widen(x reg.VecVirtual, half int, to reg.VecVirtual) {
	switch {
	case s.Bytes == 64 && half == 0:
		VCVTPS2PD(x.AsY(), to)
	case s.Bytes == 64:
		VEXTRACTF64X4(U8(1), x, to.AsY())
		VCVTPS2PD(to.AsY(), to)
	case half == 0:
		VCVTPS2PD(x.AsX(), to)
	default:
		VEXTRACTF128(U8(1), x, to.AsX())
		VCVTPS2PD(to.AsX(), to)
	}
}
