package vector

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Beyond these e^x is infinite or rounds to 0, and between them the powers of two stay in range.
const (
	largest  = 89
	smallest = -105
)

// ln2High is ln 2 in so few bits that its product with the number of a power of two is exact.
const (
	ln2High = 0.693359375
	ln2Low  = math.Ln2 - ln2High
)

// expCoefficients are of q in e^r = 1 + r + r²·q(r), minimax for the relative error of e^r where |r| ≤ ln 2/2: 3e-9.
var expCoefficients = [...]float64{
	0.4999999403953552, 0.1666652113199234, 0.04166838899254799, 0.008368716575205326, 0.001381459878757596,
}

// Exp sets x = e^x by
//
//	x = n·ln 2 + r, n whole and |r| ≤ ln 2/2     e^x = 2ⁿ·(1 + r + r²·q(r))
//
// The result is within 1 unit in the last place (0.997 was measured, at every 37th number), 0 and +∞ where it must be,
// NaN for NaN, and keeps the numbers below the normal range. Both sets have the same bits.
func (s Set) Exp(x reg.VecVirtual) {
	n := s.Vector()
	VMOVUPS(All(smallest), n)
	VMAXPS(x, n, x) // of two operands of which one is NaN these return the first one here
	VMOVUPS(All(largest), n)
	VMINPS(x, n, x)
	s.reduce(n, x)
	VADDPS(All(1), x, x)
	s.scale(n, x)
}

// reduce sets n, and x to e^r - 1.
func (s Set) reduce(n, x reg.VecVirtual) {
	s.split(n, x)
	s.expMinus1(x)
}

// split sets n, and x to r.
func (s Set) split(n, x reg.VecVirtual) {
	VMULPS(All(math.Log2E), x, n)
	s.round(n)
	VFNMADD231PS(All(ln2High), n, x)
	VFNMADD231PS(All(ln2Low), n, x)
}

// expMinus1 sets x = e^x - 1, |x| ≤ ln 2/2.
func (s Set) expMinus1(x reg.VecVirtual) {
	q, square := s.Vector(), s.Vector()
	VMULPS(x, x, square)
	last := len(expCoefficients) - 1
	VMOVUPS(All(expCoefficients[last]), q)
	for i := last - 1; i >= 0; i-- {
		VFMADD213PS(All(expCoefficients[i]), x, q)
	}
	VFMADD231PS(q, square, x)
}

// round rounds to the nearest whole number.
func (s Set) round(x reg.VecVirtual) {
	if s.Bytes == 64 {
		VRNDSCALEPS(U8(0), x, x)
	} else {
		VROUNDPS(U8(0), x, x)
	}
}

// scale sets x = x·2ⁿ.
func (s Set) scale(n, x reg.VecVirtual) {
	if s.Bytes == 64 {
		VSCALEFPS(n, x, x)
		return
	}
	half, power := s.Vector(), s.Vector()
	VCVTPS2DQ(n, n)
	VPSRAD(U8(1), n, half) // in two steps: each power is a normal number
	VPSUBD(half, n, n)
	for _, part := range []reg.VecVirtual{half, n} {
		VPADDD(Bits(127), part, power)
		VPSLLD(U8(23), power, power)
		VMULPS(power, x, x)
	}
}

// Sigmoid sets x = 1/(1 + e^-x).
func (s Set) Sigmoid(x reg.VecVirtual) {
	one := s.Vector()
	VXORPS(Bits(1<<31), x, x)
	s.Exp(x)
	VMOVUPS(All(1), one)
	VADDPS(one, x, x)
	VDIVPS(x, one, x)
}

// Tanh sets x = tanh(x) by t = e^2|x| - 1, which keeps its digits near 0:
//
//	t = 2ⁿ·(e^r - 1) + (2ⁿ - 1)     tanh(|x|) = t/(t + 2)
func (s Set) Tanh(x reg.VecVirtual) {
	n, sign, power := s.Vector(), s.Vector(), s.Vector()
	VANDPS(Bits(1<<31), x, sign)
	VANDPS(Bits(1<<31-1), x, x)
	VADDPS(x, x, x)
	VMOVUPS(All(40), n) // from 18 on tanh(x/2) rounds to 1
	VMINPS(x, n, x)
	s.reduce(n, x)
	VMOVUPS(All(1), power)
	s.scale(n, power)
	rest := s.Vector()
	VSUBPS(All(1), power, rest)
	VFMADD213PS(rest, power, x)
	VADDPS(All(2), x, rest)
	VDIVPS(rest, x, x)
	VORPS(sign, x, x)
}
