package runtime

import "fmt"

// Element is a type that a [Tensor] may hold at the border of an engine.
type Element interface{ float32 | int64 }

// Tensor is a dense row-major array: Data is a []float32 or a []int64 of as many elements as Shape says.
type Tensor struct {
	Shape []int
	Data  any
}

// NewTensor returns the tensor of shape over data, without a copy.
// It panics if data does not have the number of elements that shape says.
func NewTensor[T Element](data []T, shape ...int) Tensor {
	size := 1
	for _, d := range shape {
		size *= d
	}
	if size != len(data) {
		panic(fmt.Sprintf("runtime: %d elements for a tensor of shape %v", len(data), shape))
	}
	return Tensor{Shape: shape, Data: data}
}

// Values returns the elements of t, or an error that names the tensor if they are of another type.
func Values[T Element](name string, t Tensor) ([]T, error) {
	data, ok := t.Data.([]T)
	if !ok {
		return nil, fmt.Errorf("runtime: tensor %s holds %T, want %T", name, t.Data, data)
	}
	return data, nil
}
