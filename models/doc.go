// Package models says what an ALBERT is: its configuration, its parameters and their files.
//
// ALBERT (Lan et al., arXiv:1909.11942) is a BERT whose encoder layer is shared by all depths and whose word
// embeddings are factorized (V, E) x (E, H). This package holds
//
//	config.go       Config, with the keys of Hugging Face's config.json
//	presets.go      the released models, and albert-tiny, written out
//	parameters.go   the one table of parameters: name, shape, initializer, decayed or not
//	weights.go      the table's numbers, in one flat slice
//	safetensors.go  the file format of those numbers
//	checkpoint.go   the directory that holds a model: written whole or not at all
//	shards.go       its weights in several files
//	loaded.go       what a checkpoint's tensors are to a model, also to one with other heads
//	tensorflow.go   the names of Google's code
//	find.go         a directory, a run or a name on the hub, to a directory
//	hub.go          the Hugging Face Hub: its cache, and transfers into it
//	border.go       the names of inputs and outputs
//	training.go     what passes between a training loop and an engine
//
// The trainer and the exporter meet only here. Nothing is computed in this package.
package models
