// Package gonnx runs an exported model in pure Go: onnx-go reads the file, and the operators are ours. It is a second
// opinion on what the exporter writes, by a reader that shares no code with it, and it needs neither cgo nor a library.
//
//	session.go      a file to a session, and its runs
//	backend.go      the graph, as onnx-go hands it over
//	operators.go    which function computes which operator
//	array.go        values: shape and numbers
//	linear.go elementwise.go normalize.go shape.go gather.go    the operators
//	parallel.go     work on several threads
//
// It runs the standard operators of opset 18 that [goalbert/onnx.Operators] lists, on float32 and int64. onnx-go shows
// neither opset nor domains nor functions, so the file is checked by our own reader first, and every other form of model
// is refused by name. onnx-go panics on some damaged files: that becomes an error here.
package gonnx
