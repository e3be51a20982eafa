// Package kernel is the inner loops of the native engine: matrix multiply, softmax, layer norm, dropout, the
// activations, cross-entropy, and the updates of AdamW and LAMB. It knows nothing of ALBERT, allocates nothing in
// steady state, and starts no goroutine: who calls it divides the work.
//
//	gemm.go          C = αAB + βC: the blocks; gemm_tiling.go their sizes, gemm_pack.go packing
//	packed.go        C = AB + D, B being packed once for many products; in fp32 or in bf16 (precision.go)
//	limit.go         how fast the processor could multiply
//	vector.go        sums of rows, columns and squares
//	gelu.go          GELU, by erf and by tanh
//	activation.go    ReLU, SiLU, tanh
//	dropout.go       dropout, by random numbers of a counter
//	softmax.go layernorm.go crossentropy.go adamw.go lamb.go
//
// Matrices are row-major slices. A kernel takes the number of columns, or finds it from a weight's length; the rows are
// what is left. Lengths that do not fit together are mistakes of the caller and panic.
//
// Where X.go has assembly, X_generic.go is its reference, X_amd64.s is what the programs in _asm write, and X_asm.go and
// X_noasm.go choose. The build tag purego leaves assembly out.
//
// Everything is generic over float32 and float64; assembly is for float32. Forward functions overwrite their first
// argument, backward functions the gradient of their input; to gradients of weights they add. In-place use is allowed
// where a comment says so.
//
// A kernel set is one arithmetic: results are the same bits within it, wherever the numbers lie in memory, and [Set]
// names it.
package kernel

//go:generate go generate -C _asm ./...
