package vector

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/reg"
)

// farTail is where e^(-a²/2) has long been 0 in float32, at 1.4e-49.
const farTail = 15

// tailNumerator and tailDenominator are P and Q of Φ(-a) = e^(-a²/2)·P(a)/Q(a), minimax for the relative error of the
// quotient where 0 ≤ a ≤ farTail: 9.4e-9, 0.16 roundoffs, with these numbers as float32 has them. By the second
// algorithm of Remez for rational functions, in 40 digits, with P/Q = ½ at 0; then each number rounded, and moved by
// units in its last place, from 60 starts, as long as that made the error smaller. None is negative, so that no digits
// are lost.
var (
	tailNumerator = [...]float64{
		0.5, 0.4385773241519928, 0.18341778218746185, 0.04068705812096596, 0.004121972713619471,
	}
	tailDenominator = [...]float64{
		1, 1.675039529800415, 1.2033195495605469, 0.4699458181858063, 0.10199356824159622, 0.01033213920891285,
	}
)

// NormalTail returns e^(-a²/2), and Φ(-a) divided by it, for a = |x|: both keep their digits however small they are.
func (s Set) NormalTail(a reg.VecVirtual) (gauss, tail reg.VecVirtual) {
	near := s.Vector()
	VMOVUPS(All(farTail), near)
	VMINPS(a, near, near) // NaN where a is
	tail = s.polynomial(tailNumerator[:], near)
	denominator := s.polynomial(tailDenominator[:], near)
	VDIVPS(denominator, tail, tail)
	s.gauss(near)
	return near, tail
}

// polynomial returns Σ coefficients[i]·xⁱ.
func (s Set) polynomial(coefficients []float64, x reg.VecVirtual) reg.VecVirtual {
	sum := s.Vector()
	last := len(coefficients) - 1
	VMOVUPS(All(coefficients[last]), sum)
	for i := last - 1; i >= 0; i-- {
		VFMADD213PS(All(coefficients[i]), x, sum)
	}
	return sum
}

// gauss sets x = e^(-x²/2), |x| ≤ farTail. What x² loses by rounding would be as many roundoffs of the result as x²/2
// is; it is subtracted from r.
func (s Set) gauss(x reg.VecVirtual) {
	n, square, lost := s.Vector(), s.Vector(), s.Vector()
	VMULPS(x, x, square)
	VMOVAPS(x, lost)
	VFMSUB213PS(square, x, lost)
	VMULPS(All(-0.5), square, x)
	s.split(n, x)
	VFNMADD231PS(All(0.5), lost, x)
	s.expMinus1(x)
	VADDPS(All(1), x, x)
	s.scale(n, x)
}

// Reflect sets y = 1 - y where x is positive, for a y that is ½ at 0: y is then a function of x that has
// f(x) + f(-x) = 1.
func (s Set) Reflect(x, y reg.VecVirtual) {
	rest := s.Vector()
	VMOVUPS(All(1), rest)
	if s.Bytes == 64 {
		positive := K()
		VPTESTNMD(Bits(1<<31), x, positive)
		VSUBPS(y, rest, positive, y)
		return
	}
	VSUBPS(y, rest, rest)
	VBLENDVPS(x, y, rest, y)
}
