// Package onnx reads, builds, checks and writes ONNX files. It knows nothing of any model.
//
//	graph.proto   the messages; graph.pb.go is generated from them
//	tensor.go     numbers to tensors and back
//	builder.go    a graph, node by node
//	check.go      what a graph must satisfy: names, order, operators, sizes
//	operators.go  the operators that are known, with their inputs and attributes
//	reader.go     a file to a model
//	writer.go     a model to a file
//	text.go       a model for people to read
//
// The messages are those of onnx.proto3 at IR version 8, as far as they are used. Sparse tensors, training information
// and tensors outside the file are not.
//
// https://github.com/onnx/onnx/blob/main/docs/IR.md
package onnx

//go:generate go run -C _generate .
