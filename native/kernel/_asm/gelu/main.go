// Command gelu writes GELU, by erf and by tanh, forward and backward.
package main

//go:generate go run . -out ../../gelu_amd64.s -stubs ../../gelu_amd64.go -pkg kernel

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/reg"

	. "goalbert/native/kernel/_asm/vector"
)

// The constants of the tanh form: √(2/π), and 0.044715 of the paper.
var scale = math.Sqrt(2 / math.Pi)

const cubic = 0.044715

func main() {
	ForEachSet(func(s Set) {
		forward(s)
		backward(s)
		newForward(s)
		newBackward(s)
	})
}

// forward sets out = x·Φ(x).
func forward(s Set) {
	s.Function("gelu", "out, x *float32, n int", "works like geluGeneric, on n elements.")
	out, x := Parameter("out"), Parameter("x")
	s.Loop(Parameter("n")).Each(func(at Place) {
		v := at.Load(x)
		gauss, tail := s.NormalTail(absolute(s, v))
		VMULPS(gauss, tail, tail)
		s.Reflect(v, tail)
		VMULPS(v, tail, tail)
		at.Store(tail, out)
	})
	s.Return()
}

// backward sets dX = dOut·(Φ(x) + x·φ(x)). At -a, a ≥ 0, the factor is e^(-a²/2)·(Φ(-a)/e^(-a²/2) - a/√(2π)).
func backward(s Set) {
	s.Function("geluBackward", "dX, dOut, x *float32, n int", "works like geluBackwardGeneric, on n elements.")
	dX, dOut, x := Parameter("dX"), Parameter("dOut"), Parameter("x")
	s.Loop(Parameter("n")).Each(func(at Place) {
		v := at.Load(x)
		a := absolute(s, v)
		gauss, slope := s.NormalTail(a)
		VFNMADD231PS(All(1/math.Sqrt(2*math.Pi)), a, slope)
		VMULPS(gauss, slope, slope)
		s.Reflect(v, slope)
		VMULPS(at.Load(dOut), slope, slope)
		at.Store(slope, dX)
	})
	s.Return()
}

func absolute(s Set, x reg.VecVirtual) reg.VecVirtual {
	a := s.Vector()
	VANDPS(Bits(1<<31-1), x, a)
	return a
}

// inner returns 2u = x·(2√(2/π) + 2√(2/π)·0.044715·x²), and x².
func inner(s Set, x reg.VecVirtual) (u, square reg.VecVirtual) {
	u, square = s.Vector(), s.Vector()
	VMULPS(x, x, square)
	VMOVUPS(All(2*scale*cubic), u)
	VFMADD213PS(All(2*scale), square, u)
	VMULPS(x, u, u)
	return u, square
}

func newForward(s Set) {
	s.Function("geluNew", "out, x *float32, n int", "works like geluNewGeneric, on n elements.")
	out, x := Parameter("out"), Parameter("x")
	s.Loop(Parameter("n")).Each(func(at Place) {
		v := at.Load(x)
		u, _ := inner(s, v)
		s.Sigmoid(u)
		VMULPS(v, u, u)
		at.Store(u, out)
	})
	s.Return()
}

// newBackward sets dX = dOut·(σ + 2xσ(1-σ)·u'), 2u' = 2√(2/π) + 6√(2/π)·0.044715·x².
func newBackward(s Set) {
	s.Function("geluNewBackward", "dX, dOut, x *float32, n int", "works like geluNewBackwardGeneric, on n elements.")
	dX, dOut, x := Parameter("dX"), Parameter("dOut"), Parameter("x")
	s.Loop(Parameter("n")).Each(func(at Place) {
		v := at.Load(x)
		sigma, square := inner(s, v)
		s.Sigmoid(sigma)
		slope := s.Vector()
		VMOVUPS(All(6*scale*cubic), slope)
		VFMADD213PS(All(2*scale), square, slope)
		VMULPS(v, slope, slope)
		rest := s.Vector()
		VMOVUPS(All(1), rest)
		VSUBPS(sigma, rest, rest)
		VMULPS(rest, slope, slope)
		VFMADD213PS(sigma, sigma, slope)
		VMULPS(at.Load(dOut), slope, slope)
		at.Store(slope, dX)
	})
	s.Return()
}
