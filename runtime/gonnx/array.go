package gonnx

import (
	"fmt"

	"gorgonia.org/tensor"
)

// An array is a value of the graph: row-major numbers of one of two types. Arrays are shared and never changed once
// they are computed.
type array struct {
	shape  []int
	floats []float32
	ints   []int64 // nil where floats are
}

func newFloats(shape []int) *array {
	return &array{shape: shape, floats: make([]float32, size(shape))}
}

func newInts(values []int64, shape ...int) *array { return &array{shape: shape, ints: values} }

// size returns the number of elements.
func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// with returns the same numbers in another shape of the same size.
func (a *array) with(shape []int) *array {
	return &array{shape: shape, floats: a.floats, ints: a.ints}
}

// isFloat reports whether a holds float32.
func (a *array) isFloat() bool { return a.ints == nil }

// float returns the numbers of a float32 array.
func (a *array) float() ([]float32, error) {
	if !a.isFloat() {
		return nil, fmt.Errorf("got int64, want float32")
	}
	return a.floats, nil
}

// int returns the numbers of an int64 array.
func (a *array) int() ([]int64, error) {
	if a.isFloat() {
		return nil, fmt.Errorf("got float32, want int64")
	}
	return a.ints, nil
}

// axis returns an axis counted from the front, given one that may count from the back.
func (a *array) axis(axis int64) (int, error) {
	rank := int64(len(a.shape))
	if axis < -rank || axis >= rank {
		return 0, fmt.Errorf("axis %d of a tensor with %d", axis, rank)
	}
	if axis < 0 {
		axis += rank
	}
	return int(axis), nil
}

// fromTensor returns the constant that onnx-go decoded. It gives scalars, and vectors of one element, as bare numbers.
func fromTensor(t tensor.Tensor) (*array, error) {
	a := &array{shape: append([]int{}, t.Shape()...)}
	switch data := t.Data().(type) {
	case []float32:
		a.floats = data
	case float32:
		a.floats = []float32{data}
	case []int64:
		a.ints = data
	case int64:
		a.ints = []int64{data}
	default:
		return nil, fmt.Errorf("elements of type %v, want float32 or int64", t.Dtype())
	}
	if n := len(a.floats) + len(a.ints); n != size(a.shape) {
		return nil, fmt.Errorf("%d elements for shape %v", n, a.shape)
	}
	return a, nil
}
