package onnx

import (
	"bytes"
	"fmt"
	"io"
)

// Payloads make the data of tensors while a model is written, so that they are never in memory together. A tensor whose
// name is here has no data of its own, and says that they are elsewhere (DataLocation EXTERNAL).
type Payloads map[string]func(w io.Writer) error

// Fill makes the data of every deferred tensor of m in memory.
func (p Payloads) Fill(m *ModelProto) error {
	for _, t := range m.Graph.Initializer {
		if p[t.Name] == nil {
			continue
		}
		var data bytes.Buffer
		data.Grow(int(t.dataSize()))
		if err := p.write(&data, t); err != nil {
			return err
		}
		t.RawData, t.DataLocation = data.Bytes(), TensorProto_DEFAULT
	}
	return nil
}

// write writes the data of t, which must be as long as its shape says.
func (p Payloads) write(w io.Writer, t *TensorProto) error {
	if len(t.RawData) > 0 {
		_, err := w.Write(t.RawData)
		return err
	}
	produce := p[t.Name]
	if produce == nil {
		return FormatError(fmt.Sprintf("tensor %s lies in another file, and its data are not here", t.Name))
	}
	counted := &countingWriter{Writer: w}
	if err := produce(counted); err != nil {
		return err
	}
	if counted.bytes != t.dataSize() {
		return FormatError(fmt.Sprintf("tensor %s of shape %v was written with %d bytes, want %d", t.Name, t.Dims, counted.bytes, t.dataSize()))
	}
	return nil
}

// rawSize is how many bytes of raw_data are written for t.
func (p Payloads) rawSize(t *TensorProto) int64 {
	if p[t.Name] != nil {
		return t.dataSize()
	}
	return int64(len(t.RawData))
}

type countingWriter struct {
	io.Writer
	bytes int64
}

func (c *countingWriter) Write(data []byte) (int, error) {
	n, err := c.Writer.Write(data)
	c.bytes += int64(n)
	return n, err
}
