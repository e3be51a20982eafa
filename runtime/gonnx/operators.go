package gonnx

import (
	"errors"
	"fmt"
	"slices"
)

// operator computes outputs from inputs, of which optional ones may be absent.
type operator func(r *run, in []tensor) ([]tensor, error)

// specification says how an operator of the standard domain may be used.
type specification struct {
	least, most int // inputs
	outputs     int // most
	attributes  []string
	build       func(n *nodeAttributes) operator
}

const anyNumber = 1 << 16

// specifications are the operators that are known.
var specifications = map[string]specification{
	"Add":     {2, 2, 1, nil, always(add)},
	"Sub":     {2, 2, 1, nil, always(subtract)},
	"Mul":     {2, 2, 1, nil, always(multiply)},
	"Div":     {2, 2, 1, nil, always(divide)},
	"Pow":     {2, 2, 1, nil, always(pow)},
	"Equal":   {2, 2, 1, nil, always(equal)},
	"Where":   {3, 3, 1, nil, always(where)},
	"Sqrt":    {1, 1, 1, nil, always(squareRoot)},
	"Tanh":    {1, 1, 1, nil, always(tanh)},
	"Erf":     {1, 1, 1, nil, always(erf)},
	"Sigmoid": {1, 1, 1, nil, always(sigmoid)},
	"Exp":     {1, 1, 1, nil, always(exp)},
	"Relu":    {1, 1, 1, nil, always(relu)},
	"Neg":     {1, 1, 1, nil, always(negate)},

	"MatMul":             {2, 2, 1, nil, always(matMul)},
	"Gemm":               {2, 3, 1, []string{"alpha", "beta", "transA", "transB"}, buildGemm},
	"Softmax":            {1, 1, 1, []string{"axis"}, buildSoftmax},
	"LayerNormalization": {2, 3, 3, []string{"axis", "epsilon", "stash_type"}, buildLayerNorm},
	"ReduceMean":         {1, 2, 1, []string{"axes", "keepdims", "noop_with_empty_axes"}, buildReduceMean},
	"ReduceSum":          {1, 2, 1, []string{"keepdims", "noop_with_empty_axes"}, buildReduceSum},

	"Gather":    {2, 2, 1, []string{"axis"}, buildGather},
	"Concat":    {1, anyNumber, 1, []string{"axis"}, buildConcat},
	"Split":     {1, 2, anyNumber, []string{"axis", "num_outputs"}, buildSplit},
	"Slice":     {3, 5, 1, nil, always(slice)},
	"Transpose": {1, 1, 1, []string{"perm"}, buildTranspose},
	"Expand":    {2, 2, 1, nil, always(expand)},

	"Reshape":   {2, 2, 1, []string{"allowzero"}, buildReshape},
	"Shape":     {1, 1, 1, []string{"start", "end"}, buildShape},
	"Squeeze":   {1, 2, 1, nil, always(squeeze)},
	"Unsqueeze": {2, 2, 1, nil, always(unsqueeze)},
	"Flatten":   {1, 1, 1, []string{"axis"}, buildFlatten},
	"Identity":  {1, 1, 1, nil, always(identity)},
	"Cast":      {1, 1, 1, []string{"to"}, buildCast},

	"Constant":        {0, 0, 1, []string{"value", "value_float", "value_floats", "value_int", "value_ints"}, buildConstant},
	"ConstantOfShape": {1, 1, 1, []string{"value"}, buildConstantOfShape},
	"Range":           {3, 3, 1, nil, always(sequence)},
}

// operatorNames returns the names of the operators that are known, sorted.
func operatorNames() []string {
	var names []string
	for name := range specifications {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// nodeAttributes is what a node says beyond its inputs, and what it says wrong.
type nodeAttributes struct {
	opset   int64
	outputs int
	values  map[string]any
	err     error
}

// buildOperator returns the operator of a node.
func buildOperator(op string, n *nodeAttributes) (operator, error) {
	s, known := specifications[op]
	if !known {
		return nil, fmt.Errorf("the operator is not one of %v", operatorNames())
	}
	for name := range n.values {
		if !slices.Contains(s.attributes, name) {
			return nil, fmt.Errorf("attribute %q is not one of %v", name, s.attributes)
		}
	}
	apply := s.build(n)
	return apply, n.err
}

// always builds an operator without attributes.
func always(apply operator) func(*nodeAttributes) operator {
	return func(*nodeAttributes) operator { return apply }
}

// attribute returns the value of an attribute, or missing where it is not there.
func attribute[T any](n *nodeAttributes, name string, missing T) T {
	v, there := n.values[name]
	if !there {
		return missing
	}
	t, ok := v.(T)
	if !ok {
		n.fail(fmt.Errorf("attribute %q holds %T, want %T", name, v, missing))
		return missing
	}
	return t
}

func (n *nodeAttributes) has(name string) bool {
	_, there := n.values[name]
	return there
}

// fail keeps the first thing that is wrong.
func (n *nodeAttributes) fail(err error) {
	if n.err == nil {
		n.err = err
	}
}

// requireAttribute fails where an attribute without default is missing.
func requireAttribute(n *nodeAttributes, name string) {
	if !n.has(name) {
		n.fail(fmt.Errorf("attribute %q is missing", name))
	}
}

func wide(list []int64) []int {
	out := make([]int, len(list))
	for i, v := range list {
		out[i] = int(v)
	}
	return out
}

// one returns what an operator with one output returns.
func one(t tensor, err error) ([]tensor, error) {
	if err != nil {
		return nil, err
	}
	return []tensor{t}, nil
}

var errType = errors.New("not a type that the operator takes")

// unsupported says that inputs are of a type that an operator does not take.
func unsupported(in ...tensor) ([]tensor, error) {
	var types []string
	for _, t := range in {
		types = append(types, t.typeName())
	}
	return nil, fmt.Errorf("inputs of %v: %w", types, errType)
}
