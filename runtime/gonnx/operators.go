package gonnx

import "fmt"

// call is what an operator computes with.
type call struct {
	operation *operation
	inputs    []*array // nil where an optional one is left out
	threads   int
}

// input returns an input that may be left out at the end of the list.
func (c *call) input(i int) *array {
	if i < len(c.inputs) {
		return c.inputs[i]
	}
	return nil
}

// operators computes each operator's only output. The names are those of onnx.Operators: a test compares them.
var operators = map[string]func(*call) (*array, error){
	"Add":                arithmetic(func(x, y float32) float32 { return x + y }, func(x, y int64) int64 { return x + y }),
	"Sub":                arithmetic(func(x, y float32) float32 { return x - y }, func(x, y int64) int64 { return x - y }),
	"Mul":                arithmetic(func(x, y float32) float32 { return x * y }, func(x, y int64) int64 { return x * y }),
	"Div":                divide,
	"Pow":                pow,
	"Erf":                elementwise(erf),
	"Tanh":               elementwise(tanh),
	"Sigmoid":            elementwise(sigmoid),
	"Relu":               elementwise(relu),
	"MatMul":             matMul,
	"Gemm":               gemm,
	"Softmax":            softmax,
	"LayerNormalization": layerNormalization,
	"Gather":             gather,
	"Transpose":          transpose,
	"Concat":             concat,
	"Slice":              slice,
	"Reshape":            reshape,
	"Shape":              shapeOf,
	"Squeeze":            squeeze,
	"Unsqueeze":          unsqueeze,
	"Cast":               cast,
}

// run computes an operation. Mistakes in shapes that no operator noticed are errors too.
func (c *call) run() (out *array, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the shapes of its inputs do not fit: %v", r)
		}
	}()
	return operators[c.operation.kind](c)
}
