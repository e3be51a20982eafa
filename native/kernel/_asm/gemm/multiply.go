package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// tile is the registers of multiplyTile.
type tile struct {
	set
	a            []reg.GPVirtual // rows 0, 3, 6 ... of A at the step; rows between by line
	line, step   reg.GPVirtual   // bytes from row to row of A, and from step to step
	b, bStep     reg.GPVirtual
	c, ldc       reg.GPVirtual
	depth, spare reg.GPVirtual
}

// The vectors that hold no sums.
func (t tile) b0() reg.VecPhysical            { return t.wide[0] }
func (t tile) b1() reg.VecPhysical            { return t.wide[1] }
func (t tile) factor(row int) reg.VecPhysical { return t.wide[2+row%2] }
func (t tile) sum(row, half int) reg.VecPhysical {
	return t.wide[4+2*row+half]
}

// multiplyTile writes one loop for each number of rows. Every element of C has one sum, to which the products are
// added in the order of the steps by fused multiply-adds: its bits do not depend on the shape of the tile.
func multiplyTile(s set) {
	TEXT("multiplyTile"+s.name, NOSPLIT, "func(rows, depth int, a *float32, aLine, aStep int, b *float32, bStep int, "+
		"alpha, beta float32, c *float32, ldc int)")
	Pragma("noescape")
	Doc(fmt.Sprintf("multiplyTile%s sets C = α·A·B + β·C for a tile of C of 1 to %d rows and %d columns. It works like", s.name, s.rows, 2*s.bytes/float),
		"multiplyTileGeneric. Element p of A's row i is a[i*aLine+p*aStep], that of B's column j is b[p*bStep+j].")
	t := tile{set: s, line: GP64(), step: GP64(), b: GP64(), bStep: GP64(), c: GP64(), ldc: GP64(), depth: GP64(), spare: GP64()}
	rows := GP64()
	for range (s.rows + 2) / 3 {
		t.a = append(t.a, GP64())
	}
	Load(Param("rows"), rows)
	Load(Param("depth"), t.depth)
	Load(Param("a"), t.a[0])
	Load(Param("b"), t.b)
	Load(Param("c"), t.c)
	for _, stride := range []struct {
		name string
		in   reg.GPVirtual
	}{{"aLine", t.line}, {"aStep", t.step}, {"bStep", t.bStep}, {"ldc", t.ldc}} {
		Load(Param(stride.name), stride.in)
		SHLQ(U8(2), stride.in)
	}
	LEAQ(Mem{Base: t.line, Index: t.line, Scale: 2}, t.spare)
	for i := 1; i < len(t.a); i++ {
		LEAQ(Mem{Base: t.a[i-1], Index: t.spare, Scale: 1}, t.a[i])
	}
	for n := s.rows; n > 1; n-- {
		CMPQ(rows, U8(n))
		JE(LabelRef(fmt.Sprintf("rows%d", n)))
	}
	for n := 1; n <= s.rows; n++ {
		t.rowsOf(n)
	}
}

// rowsOf writes the loop over the steps for n rows, and what follows it.
func (t tile) rowsOf(n int) {
	label := func(name string) string { return fmt.Sprintf("%s%d", name, n) }
	Label(label("rows"))
	MOVQ(t.c, t.spare)
	for row := range n {
		for half := range 2 {
			t.zero(t.sum(row, half))
		}
		PREFETCHT0(Mem{Base: t.spare})
		PREFETCHT0(Mem{Base: t.spare, Disp: 2*t.bytes - float})
		ADDQ(t.ldc, t.spare)
	}
	Label(label("step"))
	VMOVUPS(Mem{Base: t.b}, t.b0())
	VMOVUPS(Mem{Base: t.b, Disp: t.bytes}, t.b1())
	PREFETCHT0(Mem{Base: t.b, Index: t.bStep, Scale: 8})
	if t.bytes == 64 {
		PREFETCHT0(Mem{Base: t.b, Index: t.bStep, Scale: 8, Disp: 64})
	}
	ADDQ(t.bStep, t.b)
	for row := range n {
		element := Mem{Base: t.a[row/3]}
		if row%3 > 0 {
			element.Index, element.Scale = t.line, uint8(row%3)
		}
		VBROADCASTSS(element, t.factor(row))
		VFMADD231PS(t.b0(), t.factor(row), t.sum(row, 0))
		VFMADD231PS(t.b1(), t.factor(row), t.sum(row, 1))
	}
	for i := range (n + 2) / 3 {
		ADDQ(t.step, t.a[i])
	}
	DECQ(t.depth)
	JNZ(LabelRef(label("step")))
	t.store(n, label)
}

// store writes C = α·sums, or C = α·sums + β·C: with β = 0 what C held is not read.
func (t tile) store(n int, label func(string) string) {
	alpha, beta := t.wide[0], t.wide[1]
	parameter := func(name string) Mem {
		m, err := Param(name).Resolve()
		if err != nil {
			panic(err)
		}
		return m.Addr
	}
	VBROADCASTSS(parameter("alpha"), alpha)
	VBROADCASTSS(parameter("beta"), beta)
	for row := range n {
		for half := range 2 {
			VMULPS(alpha, t.sum(row, half), t.sum(row, half))
		}
	}
	VXORPS(reg.X2, reg.X2, reg.X2)
	VUCOMISS(reg.X2, beta.AsX())
	JNE(LabelRef(label("add")))
	JP(LabelRef(label("add")))
	t.storeRows(n)
	Label(label("add"))
	MOVQ(t.c, t.spare)
	for row := range n {
		for half := range 2 {
			VFMADD231PS(Mem{Base: t.spare, Disp: half * t.bytes}, beta, t.sum(row, half))
		}
		ADDQ(t.ldc, t.spare)
	}
	t.storeRows(n)
}

func (t tile) storeRows(n int) {
	for row := range n {
		for half := range 2 {
			VMOVUPS(t.sum(row, half), Mem{Base: t.c, Disp: half * t.bytes})
		}
		ADDQ(t.ldc, t.c)
	}
	VZEROUPPER()
	RET()
}
