package main

import (
	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"goalbert/native/kernel/_asm/bf16"
)

// roundPairs rounds 32 elements at a time. The last pair is filled with a zero where n is odd.
func roundPairs(s set) {
	TEXT("roundPairs"+s.name, NOSPLIT, "func(dst, x *float32, n int)")
	Pragma("noescape")
	Doc("roundPairs" + s.name + " rounds x to pairs of bfloat16, (n+1)/2 of them.")
	dst, x, n := Load(Param("dst"), GP64()), Load(Param("x"), GP64()), Load(Param("n"), GP64())
	low, high := s.wide[0], s.wide[1]
	Label("whole")
	SUBQ(U8(2*s.lanes()), n)
	JL(LabelRef("rest"))
	VMOVUPS(Mem{Base: x}, low)
	VMOVUPS(Mem{Base: x, Disp: s.bytes}, high)
	bf16.VCVTNE2PS2BF16(low, high, low)
	VMOVUPS(low, Mem{Base: dst})
	ADDQ(U32(2*s.bytes), x)
	ADDQ(U8(s.bytes), dst)
	JMP(LabelRef("whole"))
	Label("rest")
	ADDQ(U8(2*s.lanes()), n)
	masks := s.masks(n)
	s.loadMasked(masks[0], Mem{Base: x}, low)
	s.loadMasked(masks[1], Mem{Base: x, Disp: s.bytes}, high)
	bf16.VCVTNE2PS2BF16(low, high, low)
	INCQ(n)
	SHRQ(U8(1), n)
	s.storeMasked(s.masks(n)[0], low, Mem{Base: dst})
	VZEROUPPER()
	RET()
}

// packStepPairs joins the lines of two steps at a time: rounded, the words of both vectors are one behind the other, and a
// permutation makes them neighbours. A step that is missing is zero.
func packStepPairs(s set) {
	TEXT("packStepPairs"+s.name, NOSPLIT, "func(dst *float32, width, lines, depth int, x *float32, ld int)")
	Pragma("noescape")
	Doc("packStepPairs"+s.name+" sets dst[p*width+i] to x[2*p*ld+i] and x[(2*p+1)*ld+i], rounded to bfloat16, for all i < lines",
		"and 2p < depth, both above 0. There may be 32 lines at most. It may write up to 15 elements behind the last.")
	dst, width, lines := Load(Param("dst"), GP64()), Load(Param("width"), GP64()), Load(Param("lines"), GP64())
	depth, x, ld := Load(Param("depth"), GP64()), Load(Param("x"), GP64()), Load(Param("ld"), GP64())
	SHLQ(U8(2), ld)
	SHLQ(U8(2), width)
	masks := s.masks(lines)
	order := s.wide[8]
	VMOVUPS(interleave(), order)
	low := [2]reg.VecPhysical{s.wide[0], s.wide[1]}
	high := [2]reg.VecPhysical{s.wide[2], s.wide[3]}
	store := func(narrow string) {
		for v := range low {
			bf16.VCVTNE2PS2BF16(low[v], high[v], low[v])
			VPERMW(low[v], order, low[v])
		}
		VMOVUPS(low[0], Mem{Base: dst})
		CMPQ(lines, U8(s.lanes()))
		JLE(LabelRef(narrow))
		VMOVUPS(low[1], Mem{Base: dst, Disp: s.bytes})
		Label(narrow)
	}
	Label("pair")
	SUBQ(U8(2), depth)
	JL(LabelRef("rest"))
	for v := range low {
		s.loadMasked(masks[v], Mem{Base: x, Disp: v * s.bytes}, low[v])
		s.loadMasked(masks[v], Mem{Base: x, Index: ld, Scale: 1, Disp: v * s.bytes}, high[v])
	}
	store("narrow")
	LEAQ(Mem{Base: x, Index: ld, Scale: 2}, x)
	ADDQ(width, dst)
	JMP(LabelRef("pair"))
	Label("rest")
	ADDQ(U8(2), depth)
	JE(LabelRef("done"))
	for v := range low {
		s.loadMasked(masks[v], Mem{Base: x, Disp: v * s.bytes}, low[v])
		s.zero(high[v])
	}
	store("narrowrest")
	Label("done")
	VZEROUPPER()
	RET()
}

// interleave is the order 0, 16, 1, 17 ... of 32 words.
func interleave() Mem {
	table := GLOBL("interleave", attr.RODATA|attr.NOPTR)
	for i := range 16 {
		DATA(i*float, U32(uint32(i)|uint32(16+i)<<16))
	}
	return table
}
