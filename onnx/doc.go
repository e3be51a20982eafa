// Package onnx reads, builds, checks and writes ONNX files. It knows nothing of any model.
//
//	graph.proto   the messages; graph.pb.go is generated from them
//	tensor.go     numbers to tensors and back
//	builder.go    a graph, node by node
//	check.go      what a graph must satisfy: names, order, operators, sizes
//	operators.go  the operators that are known, with their inputs and attributes
//	reader.go     a file to a model
//	skim.go       where in a file the data of tensors lie
//	writer.go     a model to a file
//	payload.go    data of tensors that are made as they are written
//	external.go   data of tensors in a second file
//	text.go       a model for people to read
//
// The messages are those of onnx.proto3 at IR version 8, as far as they are used. Sparse tensors and training information
// are not.
//
// Files are not trusted: a length, a shape or a place in another file is compared with the file's size before anything is
// allocated for it, messages lie at most a hundred deep in each other, and external data in the model's directory.
//
// https://github.com/onnx/onnx/blob/main/docs/IR.md
package onnx

//go:generate go run -C _generate .
