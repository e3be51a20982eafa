package onnx

import (
	"fmt"
	"io"

	"google.golang.org/protobuf/proto"
)

// Write writes m. The same model gives the same bytes.
func Write(w io.Writer, m *ModelProto) error {
	if size := proto.Size(m); size > maxFile {
		return UnsupportedError(fmt.Sprintf("the model has %d bytes, a file has at most %d", size, maxFile))
	}
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return fmt.Errorf("onnx: %w", err)
	}
	_, err = w.Write(data)
	return err
}
