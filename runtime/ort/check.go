package ort

import (
	"errors"

	"goalbert/onnx"
)

// checkModel reads the file at path as our own reader does, without the data of its tensors, before ONNX Runtime gets it:
// what is no ONNX model, what ends early, tensors whose data do not have their size, and external data that lie outside
// the model's directory, or are not there, are an error in our words, and nothing that a library in this process has to
// survive. What is valid and only unknown to our reader is ONNX Runtime's to judge.
func checkModel(path string) (*onnx.ModelProto, error) {
	m, err := onnx.ReadGraph(path)
	if format, bad := errors.AsType[onnx.FormatError](err); bad {
		return nil, format
	}
	if _, unknown := errors.AsType[onnx.UnsupportedError](err); unknown {
		return m, nil
	}
	return m, err
}
