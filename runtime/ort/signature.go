//go:build cgo && !windows

package ort

import (
	"fmt"

	onnxruntime "github.com/yalue/onnxruntime_go"

	"goalbert/onnx"
)

// signature returns the inputs and outputs that the model declares, as ONNX Runtime would after it had loaded the model for
// that: inputs that initializers give a value are none, and of a dynamic dimension the size is -1. Dimensions are nil where
// the model declares no shape.
func signature(m *onnx.ModelProto) (inputs, outputs []onnxruntime.InputOutputInfo, err error) {
	given := map[string]bool{}
	for _, t := range m.Graph.Initializer {
		given[t.Name] = true
	}
	for _, t := range m.Graph.SparseInitializer {
		given[t.GetValues().GetName()] = true
	}
	for _, v := range m.Graph.Input {
		if given[v.Name] {
			continue
		}
		info, err := declared("input", v)
		if err != nil {
			return nil, nil, err
		}
		inputs = append(inputs, info)
	}
	for _, v := range m.Graph.Output {
		info, err := declared("output", v)
		if err != nil {
			return nil, nil, err
		}
		outputs = append(outputs, info)
	}
	if len(inputs) == 0 || len(outputs) == 0 {
		return nil, nil, fmt.Errorf("got %d inputs and %d outputs, want at least one each", len(inputs), len(outputs))
	}
	return inputs, outputs, nil
}

// elementTypes are those of the tensors that a session takes and returns.
var elementTypes = map[onnx.TensorProto_DataType]onnxruntime.TensorElementDataType{
	onnx.TensorProto_FLOAT: onnxruntime.TensorElementDataTypeFloat,
	onnx.TensorProto_INT64: onnxruntime.TensorElementDataTypeInt64,
}

func declared(what string, v *onnx.ValueInfoProto) (onnxruntime.InputOutputInfo, error) {
	info := onnxruntime.InputOutputInfo{Name: v.Name, OrtValueType: onnxruntime.ONNXTypeTensor}
	t := v.GetType().GetTensorType()
	if t == nil {
		return info, fmt.Errorf("%s %q is declared as no tensor, want a tensor of float32 or int64", what, v.Name)
	}
	elements, known := elementTypes[onnx.TensorProto_DataType(t.ElemType)]
	if !known {
		return info, fmt.Errorf("%s %q is of type %v, want a tensor of float32 or int64", what, v.Name, onnx.TensorProto_DataType(t.ElemType))
	}
	info.DataType = elements
	if t.Shape == nil {
		return info, nil
	}
	info.Dimensions = onnxruntime.Shape{}
	for _, d := range t.Shape.Dim {
		size := int64(-1)
		if fixed, is := d.Value.(*onnx.TensorShapeProto_Dimension_DimValue); is {
			size = max(size, fixed.DimValue)
		}
		info.Dimensions = append(info.Dimensions, size)
	}
	return info, nil
}
