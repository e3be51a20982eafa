// Package native is ALBERT in Go: forward, hand-written backward, every head, and the arithmetic of the optimizers.
//
// Read albert.go first: it is the model from top to bottom, and its functions stand in the same order as those of
// export/albert.go, which writes the same computation down as an ONNX graph.
//
//	albert.go       the model and its backward pass
//	embeddings.go   word + position + token type, norm
//	attention.go    multi-head self-attention
//	ffn.go          the feed-forward half of a layer
//	heads.go        pooler, masked-LM predictions, sentence classifier
//	loss.go         cross-entropy of both objectives
//	linear.go layernorm.go activation.go dropout.go    the parts that those are made of
//	parameters.go activations.go    the numbers: learned, and computed on the way
//	optimizer.go engine.go          AdamW and LAMB; what a training loop drives
//	parallel.go     how work is split, so that results do not depend on the number of threads
//
// Shapes are row-major and written (rows, columns), with these letters:
//
//	B batch (sequences)    T tokens of the batch    S tokens of one sequence    M masked positions
//	V vocabulary           E embedding size         H hidden size               I intermediate size
//	L layers               A attention heads        D head size, H/A            G layer groups
//
// There is no padding: a batch is its attended tokens as T rows, sequence by sequence ([models.Batch]).
// Padding exists only at the border, in runtime/native.
//
// Everything is generic over float32 and float64. The float64 instance is the reference that finite differences and
// PyTorch confirm; the float32 instance is what trains.
//
// Forward functions store what backward needs. Backward functions accumulate: a gradient is named d and the name of
// its value (dHidden, dWeight), is added to (+=), and is zeroed in one place, where it is taken from the arena or
// after an optimizer step.
//
// Lan et al., "ALBERT: A Lite BERT for Self-supervised Learning of Language Representations", arXiv:1909.11942.
package native
