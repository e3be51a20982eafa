// Command softmax writes softmax, forward and backward, and what cross-entropy needs of it.
package main

//go:generate go run . -out ../../softmax_amd64.s -stubs ../../softmax_amd64.go -pkg kernel

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/reg"

	. "goalbert/native/kernel/_asm/vector"
)

func main() {
	ForEachSet(func(s Set) {
		forward(s)
		backward(s)
		sumExp(s)
	})
}

// largest returns a vector whose elements are all the largest of a slice.
func largest(s Set, l Loop, x reg.Register) reg.VecVirtual {
	top := s.Vector()
	VMOVUPS(All(math.Inf(-1)), top)
	l.Each(func(at Place) {
		v := at.Load(x)
		at.Else(All(math.Inf(-1)), v)
		VMAXPS(top, v, top)
	})
	return s.Reduce(top, Max)
}

// expRow calls do with e^(scale·(x-top)) of a slice's elements, 0 behind its end, and returns the sum.
func expRow(s Set, l Loop, x reg.Register, scale, top reg.VecVirtual, do func(at Place, e reg.VecVirtual)) reg.VecVirtual {
	sum := s.Vector()
	s.Zero(sum)
	l.Each(func(at Place) {
		v := at.Load(x)
		VSUBPS(top, v, v)
		VMULPS(scale, v, v)
		s.Exp(v)
		at.Else(All(0), v)
		VADDPS(v, sum, sum)
		do(at, v)
	})
	return s.Reduce(sum, Add)
}

func forward(s Set) {
	s.Function("scaledSoftmax", "out, x *float32, rows, columns int, scale, factor float32",
		"works like scaledSoftmaxGeneric, on rows of columns elements.")
	out, x, columns := Parameter("out"), Parameter("x"), Parameter("columns")
	scale, factor := s.Broadcast("scale"), s.Broadcast("factor")
	l := s.Loop(columns)
	Times(Parameter("rows"), func() {
		top := largest(s, l, x)
		sum := expRow(s, l, x, scale, top, func(at Place, e reg.VecVirtual) { at.Store(e, out) })
		VDIVPS(sum, factor, sum)
		l.Each(func(at Place) {
			e := at.Load(out)
			VMULPS(sum, e, e)
			at.Store(e, out)
		})
		Advance(columns, out, x)
	})
	s.Return()
}

func backward(s Set) {
	s.Function("softmaxBackward", "dX, dP, p *float32, rows, columns int, scale float32",
		"works like softmaxBackwardGeneric, on rows of columns elements.")
	dX, dP, p, columns := Parameter("dX"), Parameter("dP"), Parameter("p"), Parameter("columns")
	scale := s.Broadcast("scale")
	l := s.Loop(columns)
	Times(Parameter("rows"), func() {
		sum := s.Vector()
		s.Zero(sum)
		l.Each(func(at Place) { VFMADD231PS(at.Load(p), at.Load(dP), sum) })
		dot := s.Reduce(sum, Add)
		l.Each(func(at Place) {
			d, q := at.Load(dP), at.Load(p)
			VSUBPS(dot, d, d)
			VMULPS(scale, q, q)
			VMULPS(q, d, d)
			at.Store(d, dX)
		})
		Advance(columns, dX, dP, p)
	})
	s.Return()
}

// sumExp is of one row.
func sumExp(s Set) {
	s.Function("sumExp", "x *float32, n int) (top, sum float32", "works like sumExpGeneric, on n elements.")
	x := Parameter("x")
	l := s.Loop(Parameter("n"))
	top, one := largest(s, l, x), s.Vector()
	VMOVUPS(All(1), one)
	sum := expRow(s, l, x, one, top, func(Place, reg.VecVirtual) {})
	Store(top.AsX(), Return("top"))
	Store(sum.AsX(), Return("sum"))
	s.Return()
}
