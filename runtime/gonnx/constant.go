package gonnx

import (
	"errors"
	"fmt"
	"math"

	gorgonia "gorgonia.org/tensor"
)

// buildConstant returns the tensor that one of the attributes holds.
func buildConstant(n *nodeAttributes) operator {
	var t tensor
	if len(n.values) != 1 {
		n.fail(fmt.Errorf("%d attributes, want one that holds the value", len(n.values)))
	}
	switch {
	case n.has("value"):
		t = attributeTensor(n)
	case n.has("value_float"):
		t = tensor{shape: []int{}, data: []float32{attribute(n, "value_float", float32(0))}}
	case n.has("value_int"):
		t = tensor{shape: []int{}, data: []int64{attribute(n, "value_int", int64(0))}}
	case n.has("value_floats"):
		list := attribute(n, "value_floats", []float32(nil))
		t = tensor{shape: []int{len(list)}, data: list}
	case n.has("value_ints"):
		list := attribute(n, "value_ints", []int64(nil))
		t = tensor{shape: []int{len(list)}, data: list}
	}
	return func(*run, []tensor) ([]tensor, error) { return []tensor{t.view(t.shape)}, nil }
}

func attributeTensor(n *nodeAttributes) tensor {
	v, ok := n.values["value"].(gorgonia.Tensor)
	if !ok {
		n.fail(fmt.Errorf("attribute \"value\" holds %T, want a tensor", n.values["value"]))
		return tensor{}
	}
	t, err := fromGorgonia(v)
	if err != nil {
		n.fail(fmt.Errorf("attribute \"value\": %w", err))
	}
	return t
}

// buildConstantOfShape returns a tensor of one value, by default a float32 0.
func buildConstantOfShape(n *nodeAttributes) operator {
	value := tensor{data: []float32{0}}
	if n.has("value") {
		value = attributeTensor(n)
		if length(value.data) != 1 {
			n.fail(fmt.Errorf("attribute \"value\" has %d elements, want 1", length(value.data)))
		}
	}
	return func(r *run, in []tensor) ([]tensor, error) {
		shape, err := integers("the input", in[0])
		if err != nil {
			return nil, err
		}
		scalar := tensor{shape: []int{}, data: value.data}
		return one(strided(r, scalar, shape, make([]int, len(shape)), 0))
	}
}

// sequence is start, start + delta, ... up to but not including limit.
func sequence(r *run, in []tensor) ([]tensor, error) {
	switch in[0].data.(type) {
	case []float32:
		return count(r, in, func(a, b, d float32) float64 { return math.Ceil(float64((b - a) / d)) })
	case []int64:
		return count(r, in, func(a, b, d int64) float64 { return math.Ceil((float64(b) - float64(a)) / float64(d)) })
	}
	return unsupported(in...)
}

func count[T number](r *run, in []tensor, steps func(start, limit, delta T) float64) ([]tensor, error) {
	var scalars [3]T
	for i, what := range []string{"start", "limit", "delta"} {
		data, err := values[T](what, in[i])
		if err != nil {
			return nil, err
		}
		if len(data) != 1 {
			return nil, fmt.Errorf("%s has shape %v, want a scalar", what, in[i].shape)
		}
		scalars[i] = data[0]
	}
	if scalars[2] == 0 {
		return nil, errors.New("delta is 0")
	}
	n := steps(scalars[0], scalars[1], scalars[2])
	if !(n < float64(r.limit)) { // NaN too
		return nil, fmt.Errorf("%v elements, more than %d, the most that are allowed", n, r.limit)
	}
	t, out, err := newTensor[T](r, []int{max(int(n), 0)})
	if err != nil {
		return nil, err
	}
	for i := range out {
		out[i] = scalars[0] + T(i)*scalars[2]
	}
	return []tensor{t}, nil
}
