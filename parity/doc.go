// Package parity proves that an exported model computes what its checkpoint does: every initializer of the file is
// compared with the checkpoint's tensor, its graph and metadata with those of an export, and the outputs of every engine with the native model's, and with what transformers
// computes, on attended positions, within the tolerance of the file's precision.
//
//	batches.go   what is run: sequences alone and together, padded on the right, on the left, and with holes; what is rare
//	saturating.go tokens whose products a processor without VNNI may add wrong
//	random.go    weights that no initialization has, for shapes without a checkpoint
//	compare.go   tensors of a file, its graph, and what it says of itself
//	outputs.go   outputs of an engine, within a tolerance
//	agreement.go outputs of an engine, by what they predict
//	golden.go    what transformers computes, as one more session
//	export.go    a file in the report, and what its outputs may differ by
//	finding.go   how one tensor compares
//	quantized.go whole numbers of a file, multiplied out and compared with the checkpoint
//	report.go    the findings as a table and as JSON
//	page.go      and as a page, by page.html
//
// The tests here are also where packages meet that may not import each other: the native model against the golden files
// that tools/golden wrote with PyTorch and transformers.
package parity
