// Command limit writes the loops that measure how many multiply-adds a processor can do.
package main

//go:generate go run . -out ../../limit_amd64.s -stubs ../../limit_amd64.go -pkg kernel

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"goalbert/native/kernel/_asm/bf16"
)

func main() {
	ConstraintExpr("!purego")
	multiplyAdd("AVX512", "fused multiply-adds", zmm, func(x reg.VecPhysical) { VFMADD231PS(x, x, x) })
	multiplyAdd("PairsAVX512", "multiply-adds of pairs of bfloat16", zmm, func(x reg.VecPhysical) { bf16.VDPBF16PS(x, x, x) })
	multiplyAdd("AVX2", "fused multiply-adds", ymm, func(x reg.VecPhysical) { VFMADD231PS(x, x, x) })
	Generate()
}

// Twelve independent sums, as many as it takes to hide the latency of the unit.
var (
	zmm = []reg.VecPhysical{
		reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7, reg.Z8, reg.Z9, reg.Z10, reg.Z11,
	}
	ymm = []reg.VecPhysical{
		reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7, reg.Y8, reg.Y9, reg.Y10, reg.Y11,
	}
)

func multiplyAdd(name, what string, sums []reg.VecPhysical, fma func(x reg.VecPhysical)) {
	TEXT("multiplyAdd"+name, NOSPLIT, "func(n int)")
	Doc(fmt.Sprintf("multiplyAdd%s does n times %d %s of vectors, from registers alone.", name, len(sums), what))
	n := Load(Param("n"), GP64())
	for _, x := range sums {
		VXORPS(x.AsX(), x.AsX(), x.AsX())
	}
	Label("loop")
	for _, x := range sums {
		fma(x)
	}
	DECQ(n)
	JNZ(LabelRef("loop"))
	VZEROUPPER()
	RET()
}
