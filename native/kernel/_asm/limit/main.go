// Command limit writes the loops that measure how many multiply-adds a processor can do.
package main

//go:generate go run . -out ../../limit_amd64.s -stubs ../../limit_amd64.go -pkg kernel

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func main() {
	ConstraintExpr("!purego")
	multiplyAdd("AVX512", []reg.VecPhysical{reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7, reg.Z8, reg.Z9, reg.Z10, reg.Z11})
	multiplyAdd("AVX2", []reg.VecPhysical{reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7, reg.Y8, reg.Y9, reg.Y10, reg.Y11})
	Generate()
}

// multiplyAdd keeps as many independent sums as it takes to hide the latency of the unit.
func multiplyAdd(name string, sums []reg.VecPhysical) {
	TEXT("multiplyAdd"+name, NOSPLIT, "func(n int)")
	Doc(fmt.Sprintf("multiplyAdd%s does n times %d fused multiply-adds of vectors, from registers alone.", name, len(sums)))
	n := Load(Param("n"), GP64())
	for _, x := range sums {
		VXORPS(x.AsX(), x.AsX(), x.AsX())
	}
	Label("loop")
	for _, x := range sums {
		VFMADD231PS(x, x, x)
	}
	DECQ(n)
	JNZ(LabelRef("loop"))
	VZEROUPPER()
	RET()
}
