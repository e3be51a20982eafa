// Command gemm writes the innermost loops of the matrix multiply: multiplyTile and the packing of its operands.
package main

//go:generate go run . -out ../../gemm_amd64.s -stubs ../../gemm_amd64.go -pkg kernel

import . "github.com/mmcloughlin/avo/build"

func main() {
	ConstraintExpr("!purego")
	for _, s := range []set{avx512, avx2} {
		multiplyTile(s)
		packLines(s)
		packSteps(s)
	}
	multiplyTilePairs(avx512)
	roundPairs(avx512)
	packStepPairs(avx512)
	Generate()
}
