package gonnx

import (
	"fmt"
	"slices"

	gorgonia "gorgonia.org/tensor"
)

// element is a type that operators compute with.
type element interface{ float32 | int64 | bool }

// number is an element with arithmetic.
type number interface{ float32 | int64 }

// tensor is a dense row-major array: data is a []float32, []int64 or []bool of as many elements as shape says.
// An optional input that is left out has nil data. Its shape and its data are never changed once it is made, except by
// the operator that makes it or takes over its buffer.
type tensor struct {
	shape []int
	data  any
	store *storage // where data lies, nil for what does not belong to a run
	dying bool     // the running step is its last use
}

// size returns the number of elements of a shape.
func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

func (t tensor) absent() bool { return t.data == nil }

// view returns t in another shape of the same size.
func (t tensor) view(shape []int) tensor {
	if t.store != nil {
		t.store.uses++
	}
	return tensor{shape: shape, data: t.data, store: t.store}
}

// typeName returns the name of t's element type, as ONNX calls it.
func (t tensor) typeName() string {
	switch t.data.(type) {
	case []float32:
		return "float32"
	case []int64:
		return "int64"
	case []bool:
		return "bool"
	}
	return "nothing"
}

// values returns the elements of an input, or an error that says what they are.
func values[T element](what string, t tensor) ([]T, error) {
	data, ok := t.data.([]T)
	if !ok {
		return nil, fmt.Errorf("%s is a tensor of %s, want %s", what, t.typeName(), tensor{data: []T(nil)}.typeName())
	}
	return data, nil
}

// integers returns the elements of an input that says shapes, axes or the like: a vector, or a scalar.
func integers(what string, t tensor) ([]int, error) {
	data, err := values[int64](what, t)
	if err != nil {
		return nil, err
	}
	if len(t.shape) > 1 {
		return nil, fmt.Errorf("%s has shape %v, want a vector", what, t.shape)
	}
	list := make([]int, len(data))
	for i, v := range data {
		list[i] = int(v)
	}
	return list, nil
}

// fromGorgonia returns a constant as onnx-go decoded it. Tensors of one element hold it bare, not as a slice.
func fromGorgonia(t gorgonia.Tensor) (tensor, error) {
	out := tensor{shape: slices.Clone([]int(t.Shape()))}
	switch data := t.Data().(type) {
	case []float32, []int64, []bool:
		out.data = data
	case float32:
		out.data = []float32{data}
	case int64:
		out.data = []int64{data}
	case bool:
		out.data = []bool{data}
	default:
		return tensor{}, fmt.Errorf("onnx-go decoded a constant of type %T, want float32, int64 or bool", data)
	}
	if got := length(out.data); got != size(out.shape) {
		return tensor{}, fmt.Errorf("onnx-go decoded %d elements for shape %v", got, out.shape)
	}
	return out, nil
}

func length(data any) int {
	switch data := data.(type) {
	case []float32:
		return len(data)
	case []int64:
		return len(data)
	case []bool:
		return len(data)
	}
	return 0
}

// resolveAxis returns an axis counted from the front; a negative one counts from the end.
func resolveAxis(axis, rank int) (int, error) {
	if axis < -rank || axis >= rank {
		return 0, fmt.Errorf("axis %d of a tensor of %d dimensions", axis, rank)
	}
	if axis < 0 {
		axis += rank
	}
	return axis, nil
}

// maxRank bounds the dimensions of a tensor whose axes are named.
const maxRank = 64

// resolveAxes resolves several, which must be different.
func resolveAxes(axes []int, rank int) ([]int, error) {
	if rank > maxRank {
		return nil, fmt.Errorf("a tensor of %d dimensions, want at most %d", rank, maxRank)
	}
	resolved := make([]int, len(axes))
	for i, a := range axes {
		axis, err := resolveAxis(a, rank)
		if err != nil {
			return nil, err
		}
		if slices.Contains(resolved[:i], axis) {
			return nil, fmt.Errorf("axis %d is there twice", a)
		}
		resolved[i] = axis
	}
	return resolved, nil
}
