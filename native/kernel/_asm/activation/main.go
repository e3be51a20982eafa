// Command activation writes SiLU, forward and backward.
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

// siluBackward adds dOut·(σ + x·σ·(1-σ)).
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
		sum := at.Load(dX)
		VFMADD231PS(at.Load(dOut), rest, sum)
		at.Store(sum, dX)
	})
	s.Return()
}
