//go:build cgo && !windows

package ort

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	onnxruntime "github.com/yalue/onnxruntime_go"

	"goalbert/runtime"
)

// values returns tensors as ONNX Runtime's values over the same memory, in the order of infos, which are the model's
// inputs or its outputs. What it returns must be destroyed even with an error.
func values(what string, infos []onnxruntime.InputOutputInfo, tensors map[string]runtime.Tensor) ([]onnxruntime.Value, error) {
	for _, name := range slices.Sorted(maps.Keys(tensors)) {
		if !slices.Contains(names(infos), name) {
			return nil, fmt.Errorf("the model has no %s %q, its %ss are %s", what, name, what, strings.Join(names(infos), ", "))
		}
	}
	values := make([]onnxruntime.Value, len(infos))
	for i, info := range infos {
		tensor, ok := tensors[info.Name]
		if !ok {
			return values, fmt.Errorf("%s %q is missing, the model's %ss are %s",
				what, info.Name, what, strings.Join(names(infos), ", "))
		}
		value, err := toValue(info, tensor)
		if err != nil {
			return values, fmt.Errorf("%s %q: %w", what, info.Name, err)
		}
		values[i] = value
	}
	return values, nil
}

// toValue checks tensor against what the model declares and wraps its memory.
func toValue(info onnxruntime.InputOutputInfo, tensor runtime.Tensor) (onnxruntime.Value, error) {
	switch data := tensor.Data.(type) {
	case []float32:
		return wrap(info, tensor.Shape, data, onnxruntime.TensorElementDataTypeFloat)
	case []int64:
		return wrap(info, tensor.Shape, data, onnxruntime.TensorElementDataTypeInt64)
	}
	return nil, fmt.Errorf("got %T, want []float32 or []int64", tensor.Data)
}

func wrap[T runtime.Element](info onnxruntime.InputOutputInfo, shape []int, data []T,
	dataType onnxruntime.TensorElementDataType) (onnxruntime.Value, error) {
	if info.DataType != dataType {
		return nil, fmt.Errorf("got %T, want %s", data, elementName(info.DataType))
	}
	if err := checkShape(shape, info.Dimensions, len(data)); err != nil {
		return nil, err
	}
	dimensions := make(onnxruntime.Shape, len(shape))
	for i, d := range shape {
		dimensions[i] = int64(d)
	}
	value, err := onnxruntime.NewTensor(dimensions, data)
	if err != nil {
		return nil, cause(err) // not value, which would be a non-nil interface of a nil pointer
	}
	return value, nil
}

// checkShape compares a tensor's shape with the declared one, and with the number of its elements.
func checkShape(shape []int, declared onnxruntime.Shape, elements int) error {
	size, err := elementsOf(shape, declared)
	if err != nil {
		return err
	}
	if size != elements {
		return fmt.Errorf("got %d elements for shape %v, want %d", elements, shape, size)
	}
	return nil
}

// elementsOf returns the number of elements of a tensor of shape, if the declared one, whose negative dimensions are
// dynamic, allows it. Nil allows any.
func elementsOf(shape []int, declared onnxruntime.Shape) (int, error) {
	if declared != nil && len(shape) != len(declared) {
		return 0, fmt.Errorf("got shape %v, want %s", shape, shapeName(declared))
	}
	size := 1
	for i, d := range shape {
		if d < 1 || declared != nil && declared[i] >= 0 && int64(d) != declared[i] {
			return 0, fmt.Errorf("got shape %v, want %s with at least one element", shape, shapeName(declared))
		}
		size *= d
	}
	return size, nil
}

// shapeName writes a declared shape with a question mark for what is dynamic: "[? 128]".
func shapeName(declared onnxruntime.Shape) string {
	if declared == nil {
		return "any"
	}
	list := make([]string, len(declared))
	for i, d := range declared {
		list[i] = fmt.Sprint(d)
		if d < 0 {
			list[i] = "?"
		}
	}
	return "[" + strings.Join(list, " ") + "]"
}

func elementName(t onnxruntime.TensorElementDataType) string {
	if t == onnxruntime.TensorElementDataTypeInt64 {
		return "[]int64"
	}
	return "[]float32"
}

// fromValue returns what ONNX Runtime computed. The wrapper has already copied it into Go's memory.
func fromValue(value onnxruntime.Value) (runtime.Tensor, error) {
	shape := make([]int, len(value.GetShape()))
	for i, d := range value.GetShape() {
		shape[i] = int(d)
	}
	switch value := value.(type) {
	case *onnxruntime.Tensor[float32]:
		return runtime.NewTensor(value.GetData(), shape...), nil
	case *onnxruntime.Tensor[int64]:
		return runtime.NewTensor(value.GetData(), shape...), nil
	}
	return runtime.Tensor{}, fmt.Errorf("got %T, want float32 or int64", value)
}

func destroy(values []onnxruntime.Value) {
	for _, value := range values {
		if value != nil {
			value.Destroy()
		}
	}
}
