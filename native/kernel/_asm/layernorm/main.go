// Command layernorm writes layer norm, forward and backward.
package main

//go:generate go run . -out ../../layernorm_amd64.s -stubs ../../layernorm_amd64.go -pkg kernel

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	. "goalbert/native/kernel/_asm/vector"
)

func main() {
	ForEachSet(func(s Set) {
		forward(s)
		backward(s)
	})
}

func forward(s Set) {
	s.Function("layerNorm", "out, mean, rstd, x, weight, bias *float32, rows, columns int, eps float32",
		"works like layerNormGeneric, on rows of columns elements.")
	out, mean, rstd, x := Parameter("out"), Parameter("mean"), Parameter("rstd"), Parameter("x")
	weight, bias, columns := Parameter("weight"), Parameter("bias"), Parameter("columns")
	count, eps := s.Count(columns), s.Broadcast("eps")
	l := s.Loop(columns)
	Times(Parameter("rows"), func() {
		sum := s.Vector()
		s.Zero(sum)
		l.Each(func(at Place) { VADDPS(at.Load(x), sum, sum) })
		m := s.Reduce(sum, Add)
		VDIVPS(count, m, m)

		squares := s.Vector()
		s.Zero(squares)
		l.Each(func(at Place) {
			d := at.Load(x)
			VSUBPS(m, d, d)
			at.Else(All(0), d)
			VFMADD231PS(d, d, squares)
		})
		r, one := s.Reduce(squares, Add), s.Vector()
		VDIVPS(count, r, r)
		VADDPS(eps, r, r)
		VSQRTPS(r, r)
		VMOVUPS(All(1), one)
		VDIVPS(r, one, r)
		VMOVSS(m.AsX(), Mem{Base: mean})
		VMOVSS(r.AsX(), Mem{Base: rstd})

		l.Each(func(at Place) {
			v := at.Load(x)
			VSUBPS(m, v, v)
			VMULPS(r, v, v)
			y := at.Load(bias)
			VFMADD231PS(at.Load(weight), v, y)
			at.Store(y, out)
		})
		Advance(columns, out, x)
		ADDQ(U8(Float), mean)
		ADDQ(U8(Float), rstd)
	})
	s.Return()
}

// backward takes two passes over a row: sums, then what they are needed for.
func backward(s Set) {
	s.Function("layerNormBackward", "dX, dWeight, dBias, dOut, x, mean, rstd, weight *float32, rows, columns int",
		"works like layerNormBackwardGeneric, on rows of columns elements.")
	dX, dWeight, dBias, dOut := Parameter("dX"), Parameter("dWeight"), Parameter("dBias"), Parameter("dOut")
	x, mean, rstd, weight := Parameter("x"), Parameter("mean"), Parameter("rstd"), Parameter("weight")
	columns := Parameter("columns")
	l := s.Loop(columns)
	Times(Parameter("rows"), func() {
		m, r, sum, product := s.Vector(), s.Vector(), s.Vector(), s.Vector()
		VBROADCASTSS(Mem{Base: mean}, m)
		VBROADCASTSS(Mem{Base: rstd}, r)
		s.Zero(sum)
		s.Zero(product)
		normal := func(at Place) reg.VecVirtual {
			v := at.Load(x)
			VSUBPS(m, v, v)
			VMULPS(r, v, v)
			return v
		}
		l.Each(func(at Place) {
			v, d, g := normal(at), at.Load(dOut), at.Load(weight)
			VMULPS(d, g, g)
			VADDPS(g, sum, sum)
			VFMADD231PS(g, v, product)
			to := at.Load(dWeight)
			VFMADD231PS(d, v, to)
			at.Store(to, dWeight)
			VADDPS(at.Load(dBias), d, d)
			at.Store(d, dBias)
		})
		sum, product = s.Reduce(sum, Add), s.Reduce(product, Add)
		count := s.Count(columns)
		VDIVPS(count, sum, sum)
		VDIVPS(count, product, product)
		l.Each(func(at Place) {
			v, g := normal(at), at.Load(dOut)
			VMULPS(at.Load(weight), g, g)
			VSUBPS(sum, g, g)
			VFNMADD231PS(product, v, g)
			VMULPS(r, g, g)
			at.Store(g, dX)
		})
		Advance(columns, dX, dOut, x)
		ADDQ(U8(Float), mean)
		ADDQ(U8(Float), rstd)
	})
	s.Return()
}
