// Package runtime is what every engine that can run an exported model looks like: a [Session] takes named
// tensors and returns named tensors.
//
//	runtime/ort     ONNX Runtime (CPU, CUDA), needs cgo and its shared library
//	runtime/gonnx   onnx-go with our operators, pure Go
//	runtime/native  the native model as one more Session
//
// Everything above an engine (evaluate, parity, the command line) is written against Session alone.
package runtime
