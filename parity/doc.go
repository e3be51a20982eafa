// Package parity proves that an exported model computes what its checkpoint does: every initializer of the file is
// compared with the checkpoint's tensor, and the outputs of every engine with the native model's, on attended
// positions, within numeric.Engine (atol = rtol = 1e-4).
//
//	batches.go   what is run: sequences alone and together, padded on the right, on the left, and with holes
//	compare.go   tensors of a file, and outputs of an engine
//	quantized.go whole numbers of a file, multiplied out and compared with the checkpoint
//	report.go    the findings as a table and as JSON
//
// The tests here are also where packages meet that may not import each other: the native model against the golden files
// that tools/golden wrote with PyTorch and transformers.
package parity
