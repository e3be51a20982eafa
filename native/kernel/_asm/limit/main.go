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
	multiplyAdd("AVX512", ZMM)
	multiplyAdd("AVX2", YMM)
	Generate()
}

// count is that of independent sums, as many as it takes to hide the latency of the unit.
const count = 12

func multiplyAdd(name string, vector func() reg.VecVirtual) {
	TEXT("multiplyAdd"+name, NOSPLIT, "func(n int)")
	Doc(fmt.Sprintf("multiplyAdd%s does n times %d fused multiply-adds of vectors, from registers alone.", name, count))
	n := Load(Param("n"), GP64())
	var sums [count]reg.VecVirtual
	for i := range sums {
		sums[i] = vector()
	}
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
