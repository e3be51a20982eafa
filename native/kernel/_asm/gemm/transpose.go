package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// packSquares packs squares of as many lines and steps as a vector has elements.
func packSquares(s set, width, ld reg.Register) {
	lines, dst, x := Load(Param("lines"), GP64()), Load(Param("dst"), GP64()), Load(Param("x"), GP64())
	Label("squares")
	SUBQ(U8(s.lanes()), lines)
	JL(LabelRef("packed"))
	from, out, depth := GP64(), GP64(), Load(Param("depth"), GP64())
	MOVQ(x, from)
	MOVQ(dst, out)
	Label("square")
	SUBQ(U8(s.lanes()), depth)
	JL(LabelRef("squaresdone"))
	storeSteps(s, transpose(s, loadLines(s, from, ld)), out, width)
	ADDQ(U8(s.bytes), from)
	JMP(LabelRef("square"))
	Label("squaresdone")
	ADDQ(U8(s.bytes), dst)
	MOVQ(ld, from)
	SHLQ(U8(log2(s.lanes())), from)
	ADDQ(from, x)
	JMP(LabelRef("squares"))
	Label("packed")
}

func log2(n int) int {
	i := 0
	for ; n > 1; n /= 2 {
		i++
	}
	return i
}

func loadLines(s set, from, ld reg.Register) []reg.VecPhysical {
	at := GP64()
	MOVQ(from, at)
	for i := range s.lanes() {
		VMOVUPS(Mem{Base: at}, s.wide[i])
		if i < s.lanes()-1 {
			ADDQ(ld, at)
		}
	}
	return s.wide[:s.lanes()]
}

// storeSteps writes a vector for each step, and moves out behind them.
func storeSteps(s set, steps []reg.VecPhysical, out reg.GPVirtual, width reg.Register) {
	for _, x := range steps {
		VMOVUPS(x, Mem{Base: out})
		ADDQ(width, out)
	}
}

// transpose returns the steps of as many lines: first within lanes by four lines, then the lanes.
func transpose(s set, line []reg.VecPhysical) []reg.VecPhysical {
	n := s.lanes()
	free := append([]reg.VecPhysical(nil), s.wide[n:]...)
	take := func() reg.VecPhysical {
		x := free[0]
		free = free[1:]
		return x
	}
	quads := make([][4]reg.VecPhysical, n/4) // of quad q, [j]: in lane l the elements of step 4l+j
	for q := range quads {
		r := line[4*q : 4*q+4]
		var t [4]reg.VecPhysical
		for i := range t {
			t[i] = take()
		}
		VUNPCKLPS(r[1], r[0], t[0])
		VUNPCKHPS(r[1], r[0], t[1])
		VUNPCKLPS(r[3], r[2], t[2])
		VUNPCKHPS(r[3], r[2], t[3])
		VUNPCKLPD(t[2], t[0], r[0])
		VUNPCKHPD(t[2], t[0], r[1])
		VUNPCKLPD(t[3], t[1], r[2])
		VUNPCKHPD(t[3], t[1], r[3])
		copy(quads[q][:], r)
		free = append(free, t[:]...)
	}
	steps := make([]reg.VecPhysical, n)
	for j := range 4 {
		if n == 8 {
			low, high := take(), take()
			VPERM2F128(U8(0x20), quads[1][j], quads[0][j], low)
			VPERM2F128(U8(0x31), quads[1][j], quads[0][j], high)
			steps[j], steps[4+j] = low, high
			continue
		}
		var half [4]reg.VecPhysical // lanes 0 and 1 of quads 0 and 1, of 2 and 3; then lanes 2 and 3
		for i := range half {
			half[i] = take()
			VSHUFF32X4(U8([]uint8{0x44, 0xee}[i/2]), quads[i%2*2+1][j], quads[i%2*2][j], half[i])
		}
		for lane := range 4 {
			x := quads[lane][j]
			VSHUFF32X4(U8([]uint8{0x88, 0xdd}[lane%2]), half[lane/2*2+1], half[lane/2*2], x)
			steps[4*lane+j] = x
		}
		free = append(free, half[:]...)
	}
	return steps
}
