// Package gonnx runs an exported model in pure Go: onnx-go decodes the file, the operators are ours.
//
//	form.go       which files are taken: the standard float32 unrolled form; every other is refused by name
//	backend.go    the graph that onnx-go's decoder builds
//	program.go    that graph as steps, each knowing whose last use it is
//	session.go    Open and Run; feed.go checks what Run is given
//	operators.go  the table of operators
//	elementwise.go binary.go pow.go where.go        one number at a time, with broadcasting
//	matmul.go softmax.go layernorm.go reduce.go     what sums
//	gather.go concat.go slice.go transpose.go       what moves numbers
//	shape.go constant.go cast.go                    what is about shapes and types
//	tensor.go walk.go memory.go parallel.go         what they are made of
//
// Operators take float32 and int64, bool where ONNX has it, and follow the standard's text at opset 18; opsets from 13
// on are taken, since in them the same operators differ only in where ReduceMean finds its axes.
//
// Buffers are reused as soon as their last reader is done, and kept for the next run. Threads share out the work of one
// operator, so that memory does not grow with them; results are the same bits for any number of threads.
//
// Absent on purpose: functions, subgraphs, other domains and types, which onnx-go cannot decode or would mistake.
//
// https://github.com/onnx/onnx/blob/main/docs/Operators.md, https://github.com/owulveryck/onnx-go
package gonnx
