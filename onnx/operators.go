package onnx

import (
	"maps"
	"slices"
)

// operator says how an operator may be used: a standard one at opset 18, one of ONNX Runtime's at version 1.
type operator struct {
	inputs     [2]int // least and most
	outputs    int    // most
	attributes map[string]AttributeProto_AttributeType
}

const anyNumber = 1 << 30

// operators are those of the standard domain that this package checks: what an exported model is made of.
// https://github.com/onnx/onnx/blob/main/docs/Operators.md
var operators = map[string]operator{
	"Add":     {inputs: [2]int{2, 2}, outputs: 1},
	"Sub":     {inputs: [2]int{2, 2}, outputs: 1},
	"Mul":     {inputs: [2]int{2, 2}, outputs: 1},
	"Div":     {inputs: [2]int{2, 2}, outputs: 1},
	"Pow":     {inputs: [2]int{2, 2}, outputs: 1},
	"MatMul":  {inputs: [2]int{2, 2}, outputs: 1},
	"Erf":     {inputs: [2]int{1, 1}, outputs: 1},
	"Sqrt":    {inputs: [2]int{1, 1}, outputs: 1},
	"Tanh":    {inputs: [2]int{1, 1}, outputs: 1},
	"Sigmoid": {inputs: [2]int{1, 1}, outputs: 1},
	"Relu":    {inputs: [2]int{1, 1}, outputs: 1},
	"Gemm": {inputs: [2]int{2, 3}, outputs: 1, attributes: attributes{
		"alpha": AttributeProto_FLOAT, "beta": AttributeProto_FLOAT,
		"transA": AttributeProto_INT, "transB": AttributeProto_INT,
	}},
	"Gather":  {inputs: [2]int{2, 2}, outputs: 1, attributes: attributes{"axis": AttributeProto_INT}},
	"Softmax": {inputs: [2]int{1, 1}, outputs: 1, attributes: attributes{"axis": AttributeProto_INT}},
	"LayerNormalization": {inputs: [2]int{2, 3}, outputs: 3, attributes: attributes{
		"axis": AttributeProto_INT, "epsilon": AttributeProto_FLOAT, "stash_type": AttributeProto_INT,
	}},
	"ReduceSum": {inputs: [2]int{1, 2}, outputs: 1, attributes: attributes{
		"keepdims": AttributeProto_INT, "noop_with_empty_axes": AttributeProto_INT,
	}},
	"Transpose": {inputs: [2]int{1, 1}, outputs: 1, attributes: attributes{"perm": AttributeProto_INTS}},
	"Reshape":   {inputs: [2]int{2, 2}, outputs: 1, attributes: attributes{"allowzero": AttributeProto_INT}},
	"Shape": {inputs: [2]int{1, 1}, outputs: 1, attributes: attributes{
		"start": AttributeProto_INT, "end": AttributeProto_INT,
	}},
	"Slice":     {inputs: [2]int{3, 5}, outputs: 1},
	"Identity":  {inputs: [2]int{1, 1}, outputs: 1},
	"Loop":      {inputs: [2]int{2, anyNumber}, outputs: anyNumber, attributes: attributes{"body": AttributeProto_GRAPH}},
	"Squeeze":   {inputs: [2]int{1, 2}, outputs: 1},
	"Unsqueeze": {inputs: [2]int{2, 2}, outputs: 1},
	"Concat":    {inputs: [2]int{1, anyNumber}, outputs: 1, attributes: attributes{"axis": AttributeProto_INT}},
	"Cast":      {inputs: [2]int{1, 1}, outputs: 1, attributes: attributes{"to": AttributeProto_INT}},

	"DynamicQuantizeLinear": {inputs: [2]int{1, 1}, outputs: 3},
	"MatMulInteger":         {inputs: [2]int{2, 4}, outputs: 1},
	"QuantizeLinear":        {inputs: [2]int{2, 3}, outputs: 1, attributes: attributes{"axis": AttributeProto_INT}},
	"DequantizeLinear":      {inputs: [2]int{2, 3}, outputs: 1, attributes: attributes{"axis": AttributeProto_INT}},
}

// Microsoft is the domain of ONNX Runtime's own operators.
const Microsoft = "com.microsoft"

// microsoft are the operators of that domain that this package checks.
// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
var microsoft = map[string]operator{
	"MatMulNBits": {inputs: [2]int{3, 6}, outputs: 1, attributes: attributes{
		"K": AttributeProto_INT, "N": AttributeProto_INT, "bits": AttributeProto_INT, "block_size": AttributeProto_INT,
		"accuracy_level": AttributeProto_INT,
	}},
	"GatherBlockQuantized": {inputs: [2]int{3, 4}, outputs: 1, attributes: attributes{
		"bits": AttributeProto_INT, "block_size": AttributeProto_INT, "gather_axis": AttributeProto_INT,
		"quantize_axis": AttributeProto_INT,
	}},
	"Attention": {inputs: [2]int{2, 7}, outputs: 2, attributes: attributes{
		"num_heads": AttributeProto_INT, "mask_filter_value": AttributeProto_FLOAT, "scale": AttributeProto_FLOAT,
		"unidirectional": AttributeProto_INT, "qkv_hidden_sizes": AttributeProto_INTS,
	}},
	"MultiHeadAttention": {inputs: [2]int{1, 8}, outputs: 3, attributes: attributes{
		"num_heads": AttributeProto_INT, "mask_filter_value": AttributeProto_FLOAT, "scale": AttributeProto_FLOAT,
		"unidirectional": AttributeProto_INT,
	}},
	"SkipLayerNormalization": {inputs: [2]int{3, 5}, outputs: 4, attributes: attributes{"epsilon": AttributeProto_FLOAT}},
	"FastGelu":               {inputs: [2]int{1, 2}, outputs: 1},
	"BiasGelu":               {inputs: [2]int{2, 2}, outputs: 1},
	"Gelu":                   {inputs: [2]int{1, 1}, outputs: 1},
	"FusedMatMul": {inputs: [2]int{2, 2}, outputs: 1, attributes: attributes{
		"alpha": AttributeProto_FLOAT, "transA": AttributeProto_INT, "transB": AttributeProto_INT,
		"transBatchA": AttributeProto_INT, "transBatchB": AttributeProto_INT,
	}},
}

type attributes = map[string]AttributeProto_AttributeType

// required lists the attributes without a default.
var required = map[string][]string{
	"Cast": {"to"}, "Concat": {"axis"}, "Loop": {"body"},
	"MatMulNBits": {"K", "N", "block_size"}, "Attention": {"num_heads"}, "MultiHeadAttention": {"num_heads"},
}

// operatorsOf returns the operators of a domain that are known; none of a domain that is not.
func operatorsOf(domain string) map[string]operator {
	switch domain {
	case "", "ai.onnx":
		return operators
	case Microsoft:
		return microsoft
	}
	return nil
}

// Operators returns the names of the standard operators that Check knows, sorted.
func Operators() []string { return slices.Sorted(maps.Keys(operators)) }
