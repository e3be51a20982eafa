// Command optimizer writes the updates of AdamW and LAMB.
package main

//go:generate go run . -out ../../optimizer_amd64.s -stubs ../../optimizer_amd64.go -pkg kernel

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/reg"

	. "goalbert/native/kernel/_asm/vector"
)

func main() {
	ForEachSet(func(s Set) {
		adamW(s)
		lamb(s)
	})
}

// average is the constants of the moments.
type average struct{ beta1, beta2, rest1, rest2, scale reg.VecVirtual }

func averageOf(s Set) average {
	return average{s.Broadcast("beta1"), s.Broadcast("beta2"), s.Broadcast("rest1"), s.Broadcast("rest2"), s.Broadcast("scale")}
}

// moments updates m and v by the gradient g and returns them.
func (a average) moments(at Place, m, v, g reg.Register) (first, second reg.VecVirtual) {
	d, first, second := at.Load(g), at.Load(m), at.Load(v)
	VMULPS(a.scale, d, d)
	VMULPS(a.beta1, first, first)
	VFMADD231PS(a.rest1, d, first)
	VMULPS(d, d, d)
	VMULPS(a.beta2, second, second)
	VFMADD231PS(a.rest2, d, second)
	at.Store(first, m)
	at.Store(second, v)
	return first, second
}

func adamW(s Set) {
	s.Function("adamW", "w, m, v, grad *float32, n int, beta1, beta2, rest1, rest2, scale, keep, rate, root, epsilon float32",
		"works like adamWGeneric, on n elements.")
	w, m, v, g := Parameter("w"), Parameter("m"), Parameter("v"), Parameter("grad")
	a := averageOf(s)
	keep, rate, root, epsilon := s.Broadcast("keep"), s.Broadcast("rate"), s.Broadcast("root"), s.Broadcast("epsilon")
	s.Loop(Parameter("n")).Each(func(at Place) {
		first, second := a.moments(at, m, v, g)
		VSQRTPS(second, second)
		VFMADD213PS(epsilon, root, second)
		VMULPS(rate, first, first)
		VDIVPS(second, first, first)
		x := at.Load(w)
		VFMSUB213PS(first, keep, x)
		at.Store(x, w)
	})
	s.Return()
}

func lamb(s Set) {
	s.Function("lambUpdate", "update, w, m, v, grad *float32, n int, beta1, beta2, rest1, rest2, scale, epsilon, decay float32",
		"works like lambUpdateGeneric, on n elements.")
	update, w, m, v, g := Parameter("update"), Parameter("w"), Parameter("m"), Parameter("v"), Parameter("grad")
	a := averageOf(s)
	epsilon, decay := s.Broadcast("epsilon"), s.Broadcast("decay")
	s.Loop(Parameter("n")).Each(func(at Place) {
		first, second := a.moments(at, m, v, g)
		VSQRTPS(second, second)
		VADDPS(epsilon, second, second)
		VDIVPS(second, first, first)
		VFMADD231PS(at.Load(w), decay, first)
		at.Store(first, update)
	})
	s.Return()
}
