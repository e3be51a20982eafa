// Command sum writes sums of vectors and of squares.
package main

//go:generate go run . -out ../../vector_amd64.s -stubs ../../vector_amd64.go -pkg kernel

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"

	. "goalbert/native/kernel/_asm/vector"
)

func main() {
	ForEachSet(func(s Set) {
		add(s)
		axpy(s)
		sumSquares(s)
	})
}

func add(s Set) {
	s.Function("add", "dst, src *float32, n int", "works like addGeneric, on n elements.")
	dst, src := Parameter("dst"), Parameter("src")
	s.Loop(Parameter("n")).Each(func(at Place) {
		x := at.Load(dst)
		VADDPS(at.Load(src), x, x)
		at.Store(x, dst)
	})
	s.Return()
}

func axpy(s Set) {
	s.Function("axpy", "alpha float32, x, y *float32, n int", "works like axpyGeneric, on n elements.")
	alpha, x, y := s.Broadcast("alpha"), Parameter("x"), Parameter("y")
	s.Loop(Parameter("n")).Each(func(at Place) {
		to := at.Load(y)
		VFMADD231PS(at.Load(x), alpha, to)
		at.Store(to, y)
	})
	s.Return()
}

// sumSquares has a sum in float64 for each lane of the lower halves of the vectors, and one for each of the upper.
func sumSquares(s Set) {
	s.Function("sumSquares", "x *float32, n int) (sum float64", "works like sumSquaresGeneric, on n elements.")
	x := Parameter("x")
	low, high := s.Vector(), s.Vector()
	s.Zero(low)
	s.Zero(high)
	s.Loop(Parameter("n")).Each(func(at Place) {
		v, wide := at.Load(x), s.Vector()
		s.Widen(v, 0, wide)
		VFMADD231PD(wide, wide, low)
		s.Widen(v, 1, wide)
		VFMADD231PD(wide, wide, high)
	})
	VADDPD(high, low, low)
	if s.Bytes == 64 {
		upper := YMM()
		VEXTRACTF64X4(U8(1), low, upper)
		VADDPD(upper, low.AsY(), low.AsY())
	}
	upper := XMM()
	VEXTRACTF128(U8(1), low.AsY(), upper)
	VADDPD(upper, low.AsX(), low.AsX())
	VPERMILPD(U8(1), low.AsX(), upper)
	VADDPD(upper, low.AsX(), low.AsX())
	Store(low.AsX(), ReturnIndex(0))
	s.Return()
}
