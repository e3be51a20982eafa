package onnx_test

import (
	"fmt"
	"os"

	"goalbert/onnx"
)

// A graph that computes y = max(x + 1, 0).
func ExampleBuilder() {
	b := onnx.NewBuilder("example")
	x := b.Input("x", onnx.TensorProto_FLOAT, "rows", 3)
	one := b.Initializer(onnx.NewFloats("one", nil, []float32{1}))
	sum := b.Node("Add", "sum", []string{x, one})
	b.Node("Relu", "y", []string{sum})
	b.Output("y", onnx.TensorProto_FLOAT, "rows", 3)
	m := b.Model(18)
	m.ProducerName, m.ProducerVersion = "example", "1"
	if err := onnx.Check(m); err != nil {
		fmt.Println(err)
		return
	}
	onnx.WriteText(os.Stdout, m)
	// Output:
	// ir version 8, ai.onnx 18, by example 1
	// input  x FLOAT [rows 3]
	// output y FLOAT [rows 3]
	//
	// 1 initializers
	//   one FLOAT []
	//   4 bytes in all
	//
	// 2 nodes: Add 1, Relu 1
	//   sum = Add(x, one)
	//   y = Relu(sum)
}
