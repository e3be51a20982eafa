package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// packLines transposes as many lines as a vector has elements at a time, and the others by four: within each 128-bit lane
// by unpacking, and each lane is one store of four neighbours. Where the number of lines is no multiple of four, the last
// lines go first, and what they write too much is overwritten by the first lines of the next step, or lies behind the
// panel.
func packLines(s set) {
	TEXT("packLines"+s.name, NOSPLIT, "func(dst *float32, width, lines, depth int, x *float32, ld int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("packLines%s sets dst[p*width+i] = x[i*ld+p] for all i < lines and p < depth, both above 0.", s.name),
		"It may write up to 3 elements behind the last.")
	width, ld := Load(Param("width"), GP64()), Load(Param("ld"), GP64())
	SHLQ(U8(2), ld)
	SHLQ(U8(2), width)
	packQuads(s, width, ld)
	packSquares(s, width, ld)
	VZEROUPPER()
	RET()
}

// packQuads packs what is in no square of lines and steps as large as a vector.
func packQuads(s set, width, ld reg.Register) {
	first, whole := GP64(), Load(Param("lines"), GP64()) // line numbers: of the quad's first, and behind the last whole quad
	XORQ(first, first)
	TESTQ(U32(3), whole)
	JE(LabelRef("quad"))
	ANDQ(I8(-4), whole)
	MOVQ(whole, first)

	Label("quad")
	depth, done, left := GP64(), GP64(), GP64()
	Load(Param("depth"), depth)
	XORQ(done, done) // how many steps are in squares
	Load(Param("lines"), left)
	ANDQ(I8(-s.lanes()), left)
	CMPQ(first, left)
	JGE(LabelRef("alone"))
	MOVQ(depth, done)
	ANDQ(I8(-s.lanes()), done)
	Label("alone")
	SUBQ(done, depth)
	out := GP64()
	MOVQ(width, out)
	IMULQ(done, out)
	ADDQ(parameter("dst"), out)
	LEAQ(Mem{Base: out, Index: first, Scale: float}, out)
	var row [4]reg.GPVirtual
	for i := range row {
		row[i] = GP64()
	}
	MOVQ(first, row[0])
	IMULQ(ld, row[0])
	LEAQ(Mem{Base: row[0], Index: done, Scale: float}, row[0])
	ADDQ(parameter("x"), row[0])
	Load(Param("lines"), left)
	SUBQ(first, left)
	for i := 1; i < 4; i++ { // a line that is missing is read as its neighbour
		MOVQ(row[i-1], row[i])
		ADDQ(ld, row[i])
		CMPQ(left, U8(i))
		CMOVQLE(row[i-1], row[i])
	}
	for _, bytes := range []int{s.bytes, 16, float} {
		steps := bytes / float
		label := fmt.Sprintf("steps%d", steps)
		Label(label)
		CMPQ(depth, U8(steps))
		JL(LabelRef(label + "done"))
		transposeQuad(s, bytes, row, out, width)
		for _, r := range row {
			ADDQ(U8(bytes), r)
		}
		SUBQ(U8(steps), depth)
		JMP(LabelRef(label))
		Label(label + "done")
	}
	Load(Param("lines"), whole)
	ANDQ(I8(-4), whole)
	MOVQ(I32(-4), left)
	CMPQ(first, whole)
	CMOVQEQ(left, first)
	ADDQ(U8(4), first)
	CMPQ(first, whole)
	JLT(LabelRef("quad"))
}

// transposeQuad loads bytes of each of four lines and stores, four by four, the elements of each step.
func transposeQuad(s set, bytes int, row [4]reg.GPVirtual, out, width reg.Register) {
	view := func(i int) reg.VecPhysical {
		switch bytes {
		case 64:
			return s.wide[i]
		case 32:
			return s.wide[i].AsY().(reg.VecPhysical)
		}
		return s.wide[i].AsX().(reg.VecPhysical)
	}
	for i, r := range row {
		if bytes == float {
			VMOVSS(Mem{Base: r}, view(i))
		} else {
			VMOVUPS(Mem{Base: r}, view(i))
		}
	}
	VUNPCKLPS(view(1), view(0), view(4)) // steps 0 and 1 of lines 0 and 1
	VUNPCKLPS(view(3), view(2), view(5)) // of lines 2 and 3
	steps := 1
	if bytes > float {
		VUNPCKHPS(view(1), view(0), view(6)) // steps 2 and 3
		VUNPCKHPS(view(3), view(2), view(7))
		VUNPCKHPD(view(5), view(4), view(1))
		VUNPCKLPD(view(7), view(6), view(2))
		VUNPCKHPD(view(7), view(6), view(3))
		steps = bytes / float
	}
	VUNPCKLPD(view(5), view(4), view(0))
	for step := range steps {
		lane, to := step/4, Mem{Base: out}
		switch {
		case lane == 0:
			VMOVUPS(view(step).AsX(), to)
		case bytes == 64:
			VEXTRACTF32X4(U8(lane), view(step%4), to)
		default:
			VEXTRACTF128(U8(lane), view(step%4), to)
		}
		ADDQ(width, out)
	}
}

// packSteps copies the lines of each step, up to two vectors of them. What it writes too much is overwritten by the
// next step, or lies behind the panel.
func packSteps(s set) {
	TEXT("packSteps"+s.name, NOSPLIT, "func(dst *float32, width, lines, depth int, x *float32, ld int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("packSteps%s sets dst[p*width+i] = x[p*ld+i] for all i < lines and p < depth, both above 0.", s.name),
		fmt.Sprintf("There may be %d lines at most. It may write up to %d elements behind the last.", 2*s.lanes(), s.lanes()-1))
	dst, width, lines := Load(Param("dst"), GP64()), Load(Param("width"), GP64()), Load(Param("lines"), GP64())
	depth, x, ld := Load(Param("depth"), GP64()), Load(Param("x"), GP64()), Load(Param("ld"), GP64())
	SHLQ(U8(2), ld)
	SHLQ(U8(2), width)
	masks := s.masks(lines)
	CMPQ(lines, U8(s.lanes()))
	JG(LabelRef("two"))
	for vectors, label := range []string{1: "one", 2: "two"} {
		if vectors == 0 {
			continue
		}
		Label(label)
		for i := range vectors {
			s.loadMasked(masks[i], Mem{Base: x, Disp: i * s.bytes}, s.wide[i])
		}
		for i := range vectors {
			VMOVUPS(s.wide[i], Mem{Base: dst, Disp: i * s.bytes})
		}
		ADDQ(ld, x)
		ADDQ(width, dst)
		DECQ(depth)
		JNZ(LabelRef(label))
		VZEROUPPER()
		RET()
	}
}
