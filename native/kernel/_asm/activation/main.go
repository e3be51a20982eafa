// Command activation writes SiLU and tanh, forward and backward.
package main

//go:generate go run . -out ../../activation_amd64.s -stubs ../../activation_amd64.go -pkg kernel

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/reg"

	. "goalbert/native/kernel/_asm/vector"
)

func main() {
	ForEachSet(func(s Set) {
		silu(s)
		siluBackward(s)
		tanh(s)
		tanhBackward(s)
	})
}

// sigma returns σ(x).
func sigma(s Set, x reg.VecVirtual) reg.VecVirtual {
	y := s.Vector()
	VMOVAPS(x, y)
	s.Sigmoid(y)
	return y
}

func silu(s Set) {
	s.Function("silu", "out, x *float32, n int", "works like siluGeneric, on n elements.")
	out, x := Parameter("out"), Parameter("x")
	s.Loop(Parameter("n")).Each(func(at Place) {
		v := at.Load(x)
		y := sigma(s, v)
		VMULPS(v, y, y)
		at.Store(y, out)
	})
	s.Return()
}

// siluBackward sets dX = dOut·(σ + x·σ·(1-σ)).
func siluBackward(s Set) {
	s.Function("siluBackward", "dX, dOut, x *float32, n int", "works like siluBackwardGeneric, on n elements.")
	dX, dOut, x := Parameter("dX"), Parameter("dOut"), Parameter("x")
	s.Loop(Parameter("n")).Each(func(at Place) {
		v := at.Load(x)
		y, rest := sigma(s, v), s.Vector()
		VMOVUPS(All(1), rest)
		VSUBPS(y, rest, rest)
		VMULPS(v, rest, rest)
		VFMADD213PS(y, y, rest)
		VMULPS(at.Load(dOut), rest, rest)
		at.Store(rest, dX)
	})
	s.Return()
}

func tanh(s Set) {
	s.Function("tanh", "out, x *float32, n int", "works like tanhGeneric, on n elements.")
	out, x := Parameter("out"), Parameter("x")
	s.Loop(Parameter("n")).Each(func(at Place) {
		v := at.Load(x)
		s.Tanh(v)
		at.Store(v, out)
	})
	s.Return()
}

// tanhBackward sets dX = dOut·(1 - y²).
func tanhBackward(s Set) {
	s.Function("tanhBackward", "dX, dOut, y *float32, n int", "works like tanhBackwardGeneric, on n elements.")
	dX, dOut, y := Parameter("dX"), Parameter("dOut"), Parameter("y")
	s.Loop(Parameter("n")).Each(func(at Place) {
		v, slope := at.Load(y), s.Vector()
		VMOVUPS(All(1), slope)
		VFNMADD231PS(v, v, slope)
		VMULPS(at.Load(dOut), slope, slope)
		at.Store(slope, dX)
	})
	s.Return()
}
