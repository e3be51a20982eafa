// Package native is ALBERT in Go: forward, hand-written backward, every head, and the arithmetic of the optimizers.
//
// Read albert.go first: it is the model from top to bottom, and its functions stand in the same order as those of
// export/albert.go, which writes the same computation down as an ONNX graph.
//
//	albert.go       the model; albert_backward.go its backward pass
//	embeddings.go   word + position + token type
//	attention.go    multi-head self-attention
//	ffn.go          the feed-forward half of a layer
//	heads.go        pooler, masked-LM predictions, classifiers of sequences and tokens
//	similarity.go   sentence embeddings and their cosines
//	loss.go         cross-entropy; task_loss.go the losses of fine-tuned heads; task_check.go their labels
//	linear.go layernorm.go activation.go dropout.go    the parts that those are made of
//	parameters.go packs.go activations.go    the numbers: learned; in kernel order; computed on the way
//	optimizer.go engine.go          AdamW and LAMB; what a training loop drives
//	parallel.go     how work is split, so that results do not depend on the number of threads
//
// A method of a pass that takes a span works on those rows alone, and whoever calls it decides on which thread. Work is
// divided into tasks: all that happens to a tile of rows between two attentions is a part of one, so that its numbers
// are still in the cache where they are needed next; docs/kernels.md says why that matters.
//
// Shapes are row-major and written (rows, columns), with these letters:
//
//	B batch (sequences)    T tokens of the batch    S tokens of one sequence    M masked positions
//	V vocabulary           E embedding size         H hidden size               I intermediate size
//	L layers               A attention heads        D head size, H/A            G layer groups
//	N groups of sequences of a batch that are compared with each other
//
// There is no padding: a batch is its attended tokens as T rows, sequence by sequence ([models.Batch]).
// Padding exists only at the border, in runtime/native.
//
// Everything is generic over float32 and float64. The float64 instance is the reference that finite differences and
// PyTorch confirm; the float32 instance is what trains.
//
// A head is trained as transformers trains it, on labels of a batch; sentence embeddings as sentence-transformers does.
// Where embeddings and encoder are frozen the forward pass keeps nothing of them, and the backward pass ends at the head.
//
// Forward functions store what backward needs. A gradient is named d and the name of its value. That of an activation
// (dHidden) is set; that of a parameter (dWeight) is added to, by every use of a shared layer, and zeroed by the
// optimizer.
//
// Lan et al., "ALBERT: A Lite BERT for Self-supervised Learning of Language Representations", arXiv:1909.11942.
package native
