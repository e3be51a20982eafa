//go:build cgo && !windows

package ort

import (
	"context"
	"fmt"

	onnxruntime "github.com/yalue/onnxruntime_go"

	"goalbert/runtime"
)

// warmUp runs one batch of zeros, as [Options.WarmUp] says.
func (s *Session) warmUp(shape []int) error {
	inputs := map[string]runtime.Tensor{}
	for _, info := range s.inputs {
		input, err := zeros(info, shape)
		if err != nil {
			return fmt.Errorf("warm-up: input %q: %w", info.Name, err)
		}
		inputs[info.Name] = input
	}
	if _, err := s.run(context.Background(), inputs); err != nil {
		return fmt.Errorf("warm-up: shape %v: %w", shape, err)
	}
	return nil
}

// zeros returns a tensor for an input, of its least shape if shape is empty.
func zeros(info onnxruntime.InputOutputInfo, shape []int) (runtime.Tensor, error) {
	if len(shape) == 0 && info.Dimensions == nil {
		shape = []int{1} // any will do
	} else if len(shape) == 0 {
		for _, d := range info.Dimensions {
			shape = append(shape, max(1, int(d))) // a dynamic one is negative
		}
	}
	size, err := elementsOf(shape, info.Dimensions)
	if err != nil {
		return runtime.Tensor{}, err
	}
	if info.DataType == onnxruntime.TensorElementDataTypeInt64 {
		return runtime.NewTensor(make([]int64, size), shape...), nil
	}
	return runtime.NewTensor(make([]float32, size), shape...), nil
}
