package onnx

import (
	"fmt"
	"math"
	"os"

	"google.golang.org/protobuf/proto"
)

// A FormatError says that something is no valid ONNX model.
type FormatError string

func (e FormatError) Error() string { return "onnx: " + string(e) }

// An UnsupportedError says that a valid model has something that is not supported here.
type UnsupportedError string

func (e UnsupportedError) Error() string { return "onnx: " + string(e) }

// maxFile is protobuf's own limit for a message.
const maxFile = math.MaxInt32

// ReadFile reads a model. It reports files that are no ONNX model, or not a whole one; Check says more.
func ReadFile(path string) (*ModelProto, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("onnx: read model: %w", err)
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("onnx: read %s: %w", path,
			FormatError(fmt.Sprintf("the file has %d bytes, a model has at most %d", info.Size(), maxFile)))
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("onnx: read model: %w", err)
	}
	m, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("onnx: read %s: %w", path, err)
	}
	return m, nil
}

// Parse reads the bytes of a model.
func Parse(data []byte) (*ModelProto, error) {
	m := new(ModelProto)
	if err := proto.Unmarshal(data, m); err != nil {
		return nil, FormatError("not an ONNX model, or a truncated one; export it again")
	}
	if m.Graph == nil || m.IrVersion == 0 {
		return nil, FormatError("there is no graph in it; it is not an ONNX model, or a truncated one")
	}
	for _, t := range m.Graph.Initializer {
		if err := t.check(); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// elementSize gives the bytes of one element in raw_data.
var elementSize = map[TensorProto_DataType]int{
	TensorProto_FLOAT: 4, TensorProto_DOUBLE: 8, TensorProto_FLOAT16: 2, TensorProto_BFLOAT16: 2,
	TensorProto_INT8: 1, TensorProto_UINT8: 1, TensorProto_INT16: 2, TensorProto_UINT16: 2,
	TensorProto_INT32: 4, TensorProto_UINT32: 4, TensorProto_INT64: 8, TensorProto_UINT64: 8, TensorProto_BOOL: 1,
}

// check compares the size of a tensor's data with its shape.
func (t *TensorProto) check() error {
	if t.DataLocation == TensorProto_EXTERNAL {
		return UnsupportedError(fmt.Sprintf("tensor %s lies in another file; put all data into one", t.Name))
	}
	size := 1
	for _, d := range t.Dims {
		if d < 0 || d > 0 && size > maxFile/int(min(d, maxFile)) {
			return FormatError(fmt.Sprintf("tensor %s has impossible shape %v", t.Name, t.Dims))
		}
		size *= int(d)
	}
	width, known := elementSize[TensorProto_DataType(t.DataType)]
	if !known {
		return UnsupportedError(fmt.Sprintf("tensor %s has elements of type %v", t.Name, TensorProto_DataType(t.DataType)))
	}
	if len(t.RawData) > 0 && len(t.RawData) != size*width {
		return FormatError(fmt.Sprintf("tensor %s of shape %v has %d bytes, want %d", t.Name, t.Dims, len(t.RawData), size*width))
	}
	if n := t.typedLength(); len(t.RawData) == 0 && n != size {
		return FormatError(fmt.Sprintf("tensor %s of shape %v has %d elements, want %d", t.Name, t.Dims, n, size))
	}
	return nil
}

// typedLength returns the number of elements in the field that an element type without raw_data has.
func (t *TensorProto) typedLength() int {
	switch TensorProto_DataType(t.DataType) {
	case TensorProto_FLOAT:
		return len(t.FloatData)
	case TensorProto_INT64:
		return len(t.Int64Data)
	case TensorProto_DOUBLE:
		return len(t.DoubleData)
	}
	return len(t.Int32Data)
}

// OpsetVersion returns the version of a domain's operators that m imports, 0 for none. The standard domain is "".
func (m *ModelProto) OpsetVersion(domain string) int64 {
	for _, o := range m.OpsetImport {
		if o.Domain == domain || domain == "" && o.Domain == "ai.onnx" {
			return o.Version
		}
	}
	return 0
}

// Metadata returns the value of a key of the model's metadata, empty without it.
func (m *ModelProto) Metadata(key string) string {
	for _, p := range m.MetadataProps {
		if p.Key == key {
			return p.Value
		}
	}
	return ""
}
