// Package export writes an ALBERT down as an ONNX graph.
//
// Read albert.go beside native/albert.go: the same functions in the same order. There each computes; here each adds the
// nodes that compute the same.
//
//	albert.go       the model
//	embeddings.go attention.go ffn.go heads.go          its parts
//	linear.go layernorm.go activation.go                what those are made of
//	precision.go    float32, float16 or whole numbers
//	quantize.go int8.go int4.go                         how whole numbers stand for weights
//	layers.go       the layers unrolled, in a Loop, or in a function
//	tensors.go      intermediate values as outputs, on request
//	constants.go    small numbers and shapes
//	fuse.go         operators of ONNX Runtime's own, on request
//	options.go      what a file is to be
//	file.go         the file, or two
//	cells.go        which of these go together
//
// The graph is in standard operators of opset 18, with any batch and sequence length. Each weight is one
// initializer under its checkpoint name and in its checkpoint orientation, however many layers use it: a linear is a
// Gemm with transB on rows of (batch·sequence), and the tied decoder reads the word embeddings the same way. So the file
// is as large as the checkpoint. In int8 a linear lies as (in, out), which integer products take; int4 is in operators of
// ONNX Runtime's own.
//
// Nodes, and so the values they compute, are named after the place in the model: layers.I.J.query is computed by the
// J-th inner layer at depth I. The names are those of the golden files (tools/golden/README.md).
//
// Absent on purpose: value_info and everything else that an engine infers by itself.
package export
