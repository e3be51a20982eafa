package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"goalbert/native/kernel/_asm/bf16"
)

// tile is a tile of C of rows rows and one or two vectors of columns, and the registers of multiplyTile.
type tile struct {
	set
	fma           func(x, y, sum reg.VecPhysical) // sum += x·y
	rows, vectors int
	a             []reg.GPVirtual // rows 0, 3, 6 ... of A at the step; rows between by line
	line, step    reg.GPVirtual   // bytes from row to row of A, and from step to step
	b, bStep      reg.GPVirtual
	c, ldc        reg.GPVirtual
	depth, spare  reg.GPVirtual
}

// The first four vectors hold a step of B and elements of A, the others sums.
func (t tile) factor(row int) reg.VecPhysical { return t.wide[2+row%2] }
func (t tile) sum(row, v int) reg.VecPhysical { return t.wide[4+row*t.vectors+v] }

// multiplyTile writes a loop for each number of rows and vectors. Every element of C has one sum, to which the products
// are added in the order of the steps by fused multiply-adds: its bits do not depend on the shape of the tile.
func multiplyTile(s set) {
	declare("multiplyTile"+s.name, fmt.Sprintf("sets C = α·A·B + β·D for a tile of C of 1 to %d rows and 1 to %d columns.",
		s.rows, 2*s.lanes()),
		"It works like multiplyTileGeneric. Element p of A's row i is a[i*aLine+p*aStep], that of B's column j is b[p*bStep+j];",
		"whole vectors of B are read.")
	multiply(s, func(x, y, sum reg.VecPhysical) { VFMADD231PS(x, y, sum) })
}

// multiplyTilePairs writes the same loop for elements of A and B that are two bfloat16 in the place of a float32.
func multiplyTilePairs(s set) {
	declare("multiplyTilePairs"+s.name, "is multiplyTile"+s.name+" for elements that are pairs of bfloat16: each step adds two",
		"products to an element of C.")
	multiply(s, bf16.VDPBF16PS)
}

func declare(name string, doc ...string) {
	TEXT(name, NOSPLIT, "func(rows, columns, depth int, a *float32, aLine, aStep int, b *float32, bStep int, "+
		"alpha, beta float32, c *float32, ldc int, d *float32, ldd int)")
	Pragma("noescape")
	doc[0] = name + " " + doc[0]
	Doc(doc...)
}

func multiply(s set, fma func(x, y, sum reg.VecPhysical)) {
	t := tile{set: s, fma: fma, line: GP64(), step: GP64(), b: GP64(), bStep: GP64(), c: GP64(), ldc: GP64(), depth: GP64(),
		spare: GP64()}
	for range (s.rows + 2) / 3 {
		t.a = append(t.a, GP64())
	}
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
	CMPQ(parameter("columns"), U8(s.lanes()))
	Load(Param("rows"), t.spare)
	JLE(LabelRef("narrow"))
	t.vectors = 2
	t.eachHeight()
	Label("narrow")
	t.vectors = 1
	t.eachHeight()
}

// eachHeight branches to a loop by the number of rows, which is in spare.
func (t tile) eachHeight() {
	for t.rows = t.set.rows; t.rows > 1; t.rows-- {
		CMPQ(t.spare, U8(t.rows))
		JE(LabelRef(t.label("rows")))
	}
	for t.rows = 1; t.rows <= t.set.rows; t.rows++ {
		t.addUp()
		t.store()
	}
}

func (t tile) label(name string) string { return fmt.Sprintf("%s%dx%d", name, t.rows, t.vectors) }

// addUp adds up the steps. Meanwhile C is on its way to the cache, and so is B eight steps ahead.
func (t tile) addUp() {
	Label(t.label("rows"))
	MOVQ(t.c, t.spare)
	for row := range t.rows {
		for v := range t.vectors {
			t.zero(t.sum(row, v))
		}
		PREFETCHT0(Mem{Base: t.spare})
		if t.vectors == 2 {
			PREFETCHT0(Mem{Base: t.spare, Disp: 2*t.bytes - float})
		}
		ADDQ(t.ldc, t.spare)
	}
	Label(t.label("step"))
	for v := range t.vectors {
		VMOVUPS(Mem{Base: t.b, Disp: v * t.bytes}, t.wide[v])
	}
	for line := 0; line < t.vectors*t.bytes; line += 64 {
		PREFETCHT0(Mem{Base: t.b, Index: t.bStep, Scale: 8, Disp: line})
	}
	ADDQ(t.bStep, t.b)
	for row := range t.rows {
		element := Mem{Base: t.a[row/3]}
		if row%3 > 0 {
			element.Index, element.Scale = t.line, uint8(row%3)
		}
		VBROADCASTSS(element, t.factor(row))
		for v := range t.vectors {
			t.fma(t.wide[v], t.factor(row), t.sum(row, v))
		}
	}
	for i := range (t.rows + 2) / 3 {
		ADDQ(t.step, t.a[i])
	}
	DECQ(t.depth)
	JNZ(LabelRef(t.label("step")))
}

// store writes C = α·sums + β·D. With β = 0 D is not read.
func (t tile) store() {
	alpha, beta := t.wide[0], t.wide[1]
	VBROADCASTSS(parameter("alpha"), alpha)
	VBROADCASTSS(parameter("beta"), beta)
	for row := range t.rows {
		for v := range t.vectors {
			VMULPS(alpha, t.sum(row, v), t.sum(row, v))
		}
	}
	spare := alpha
	if t.vectors == 2 {
		CMPQ(parameter("columns"), U8(2*t.lanes()))
		JLT(LabelRef(t.label("some")))
		t.unlessZero(beta, spare, "all", func() {
			t.eachSum("d", func(sum reg.VecPhysical, v int) {
				VFMADD231PS(Mem{Base: t.spare, Disp: v * t.bytes}, beta, sum)
			})
		})
		t.eachSum("c", func(sum reg.VecPhysical, v int) { VMOVUPS(sum, Mem{Base: t.spare, Disp: v * t.bytes}) })
		VZEROUPPER()
		RET()
		Label(t.label("some"))
	}
	columns := t.a[0]
	Load(Param("columns"), columns)
	masks := t.masks(columns)
	t.unlessZero(beta, spare, "some", func() {
		t.eachSum("d", func(sum reg.VecPhysical, v int) {
			t.loadMasked(masks[v], Mem{Base: t.spare, Disp: v * t.bytes}, spare)
			VFMADD231PS(spare, beta, sum)
		})
	})
	t.eachSum("c", func(sum reg.VecPhysical, v int) {
		t.storeMasked(masks[v], sum, Mem{Base: t.spare, Disp: v * t.bytes})
	})
	VZEROUPPER()
	RET()
}

// eachSum calls do for each sum with the number of its vector, the row of C or D being at spare.
func (t tile) eachSum(matrix string, do func(sum reg.VecPhysical, v int)) {
	ld := t.ldc
	if matrix == "c" {
		MOVQ(t.c, t.spare)
	} else {
		ld = GP64()
		Load(Param(matrix), t.spare)
		Load(Param("ld"+matrix), ld)
		SHLQ(U8(2), ld)
	}
	for row := range t.rows {
		for v := range t.vectors {
			do(t.sum(row, v), v)
		}
		if row < t.rows-1 {
			ADDQ(ld, t.spare)
		}
	}
}

// unlessZero writes a branch around do.
func (t tile) unlessZero(x, spare reg.VecPhysical, name string, do func()) {
	zero := spare.AsX()
	VXORPS(zero, zero, zero)
	VUCOMISS(zero, x.AsX())
	JNE(LabelRef(t.label(name + "add"))) // not equal, or not a number
	JP(LabelRef(t.label(name + "add")))
	JMP(LabelRef(t.label(name + "set")))
	Label(t.label(name + "add"))
	do()
	Label(t.label(name + "set"))
}

func parameter(name string) Mem {
	m, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return m.Addr
}
