package onnx

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
	"path/filepath"

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

// maxDepth is how deep messages may lie in each other, as in protobuf's C++ library, with which engines read models.
const maxDepth = 100

// ReadFile reads a model, with what of it lies in files beside it. It reports files that are no ONNX model, or not a
// whole one; Check says more.
//
// Nothing is allocated for what a file merely claims: the sizes of tensors are compared with the file's first.
func ReadFile(path string) (*ModelProto, error) {
	return readFile(path, true)
}

// ReadGraph reads a model without the data of its initializers, of which it checks that they are there. With an
// UnsupportedError it returns the model too: that is the only thing that is wrong with it.
func ReadGraph(path string) (*ModelProto, error) {
	return readFile(path, false)
}

func readFile(path string, data bool) (*ModelProto, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("onnx: read model: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("onnx: read model: %w", err)
	}
	if info.IsDir() {
		return nil, fmt.Errorf("onnx: read %s: it is a directory, want a file", path)
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("onnx: read %s: %w", path,
			FormatError(fmt.Sprintf("the file has %d bytes, a model has at most %d", info.Size(), maxFile)))
	}
	m, err := read(f, info.Size(), filepath.Dir(path), data)
	if err != nil {
		return m, fmt.Errorf("onnx: read %s: %w", path, err)
	}
	return m, nil
}

// read reads a model of that many bytes. Where tensors lie in other files is judged first, then what they are: what is
// not supported keeps no mistake from being found. The data of initializers are read in the last step, if at all, each
// into memory of its own.
func read(r io.ReaderAt, size int64, dir string, data bool) (*ModelProto, error) {
	m, sections, err := readMessages(r, size)
	if err != nil {
		return nil, err
	}
	external := &externalFiles{dir: dir, files: map[string]*externalFile{}}
	defer external.Close()
	places := map[*TensorProto]place{}
	for _, t := range m.Graph.Initializer {
		if t.DataLocation == TensorProto_EXTERNAL {
			if places[t], err = external.find(t); err != nil {
				return nil, err
			}
		}
	}
	err = m.checkTensors(func(i int, t *TensorProto) error {
		if p, there := places[t]; there {
			return t.checkExternal(p)
		}
		return t.checkData(sections[i].length)
	})
	if _, unsupported := errors.AsType[UnsupportedError](err); err != nil && (data || !unsupported) {
		return nil, err
	}
	if !data {
		return m, err
	}
	for i, t := range m.Graph.Initializer {
		if p, there := places[t]; there {
			err = external.read(t, p)
		} else if s := sections[i]; s.length > 0 {
			t.RawData = make([]byte, s.length)
			_, err = r.ReadAt(t.RawData, s.offset)
		}
		if err != nil {
			return nil, err
		}
	}
	return m, nil
}

// Parse reads the bytes of a model that is in one file. The data of its initializers are those bytes, not a copy.
func Parse(data []byte) (*ModelProto, error) {
	m, sections, err := readMessages(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	err = m.checkTensors(func(i int, t *TensorProto) error {
		if t.DataLocation == TensorProto_EXTERNAL {
			return UnsupportedError(fmt.Sprintf("tensor %s lies in another file, which only a tensor of a model that is a file may", t.Name))
		}
		return t.checkData(sections[i].length)
	})
	if err != nil {
		return nil, err
	}
	for i, t := range m.Graph.Initializer {
		if s := sections[i]; s.length > 0 {
			t.RawData = data[s.offset:][:s.length:s.length]
		}
	}
	return m, nil
}

// readMessages reads everything but the data of initializers, and returns where those lie.
func readMessages(r io.ReaderAt, size int64) (*ModelProto, []section, error) {
	message, sections, err := skim(r, size)
	m := new(ModelProto)
	if err == nil {
		err = proto.UnmarshalOptions{RecursionLimit: maxDepth}.Unmarshal(message, m)
	}
	if _, failed := errors.AsType[*os.PathError](err); failed {
		return nil, nil, err
	}
	if err != nil {
		return nil, nil, FormatError("truncated, or not an ONNX model; export it again")
	}
	if m.Graph == nil || m.IrVersion == 0 {
		return nil, nil, FormatError("truncated, or not an ONNX model: there is no graph in it; export it again")
	}
	for t := range m.innerTensors() {
		if t.DataLocation == TensorProto_EXTERNAL {
			return nil, nil, FormatError(fmt.Sprintf("tensor %s lies in another file, which only an initializer of the model's graph may", t.Name))
		}
	}
	return m, sections, nil
}

// checkTensors reports the first tensor that is none, or else the first that is not supported. Initializers are checked
// by initializer, which gets their places.
func (m *ModelProto) checkTensors(initializer func(i int, t *TensorProto) error) error {
	var unsupported error
	check := func(err error) error {
		if _, is := errors.AsType[UnsupportedError](err); is {
			unsupported = cmp.Or(unsupported, err)
			return nil
		}
		return err
	}
	for t := range m.innerTensors() {
		if err := check(t.checkData(int64(len(t.RawData)))); err != nil {
			return err
		}
	}
	for i, t := range m.Graph.Initializer {
		if err := check(initializer(i, t)); err != nil {
			return err
		}
	}
	return unsupported
}

// innerTensors are those that are no initializers of the model's graph: of attributes, of subgraphs, and of sparse
// tensors.
func (m *ModelProto) innerTensors() iter.Seq[*TensorProto] {
	return func(yield func(*TensorProto) bool) {
		if !sparseTensors(m.Graph.SparseInitializer, yield) || !nodeTensors(m.Graph.Node, yield) {
			return
		}
		for _, f := range m.Functions {
			if !attributeTensors(f.AttributeProto, yield) || !nodeTensors(f.Node, yield) {
				return
			}
		}
	}
}

func nodeTensors(nodes []*NodeProto, yield func(*TensorProto) bool) bool {
	for _, n := range nodes {
		if !attributeTensors(n.Attribute, yield) {
			return false
		}
	}
	return true
}

func attributeTensors(attributes []*AttributeProto, yield func(*TensorProto) bool) bool {
	for _, a := range attributes {
		if a.T != nil && !yield(a.T) || !all(a.Tensors, yield) || !sparseTensors(a.SparseTensors, yield) {
			return false
		}
		if a.SparseTensor != nil && !sparseTensors([]*SparseTensorProto{a.SparseTensor}, yield) {
			return false
		}
		if a.G != nil && !subgraphTensors(a.G, yield) {
			return false
		}
		for _, g := range a.Graphs {
			if !subgraphTensors(g, yield) {
				return false
			}
		}
	}
	return true
}

func subgraphTensors(g *GraphProto, yield func(*TensorProto) bool) bool {
	return all(g.Initializer, yield) && sparseTensors(g.SparseInitializer, yield) && nodeTensors(g.Node, yield)
}

func sparseTensors(sparse []*SparseTensorProto, yield func(*TensorProto) bool) bool {
	for _, s := range sparse {
		for _, t := range []*TensorProto{s.Values, s.Indices} {
			if t != nil && !yield(t) {
				return false
			}
		}
	}
	return true
}

func all(tensors []*TensorProto, yield func(*TensorProto) bool) bool {
	for _, t := range tensors {
		if !yield(t) {
			return false
		}
	}
	return true
}

// elementSize gives the bytes of one element in raw_data.
var elementSize = map[TensorProto_DataType]int{
	TensorProto_FLOAT: 4, TensorProto_DOUBLE: 8, TensorProto_FLOAT16: 2, TensorProto_BFLOAT16: 2,
	TensorProto_INT8: 1, TensorProto_UINT8: 1, TensorProto_INT16: 2, TensorProto_UINT16: 2,
	TensorProto_INT32: 4, TensorProto_UINT32: 4, TensorProto_INT64: 8, TensorProto_UINT64: 8, TensorProto_BOOL: 1,
}

// checkShape refuses shapes that no tensor has, and elements of unknown size.
func (t *TensorProto) checkShape() error {
	size := int64(1)
	for _, d := range t.Dims {
		if d < 0 || d > 0 && size > maxFile/d {
			return FormatError(fmt.Sprintf("tensor %s has impossible shape %v", t.Name, t.Dims))
		}
		size *= d
	}
	if _, known := elementSize[TensorProto_DataType(t.DataType)]; !known {
		return UnsupportedError(fmt.Sprintf("tensor %s has elements of type %v", t.Name, TensorProto_DataType(t.DataType)))
	}
	return nil
}

// elements is how many a tensor of a good shape has.
func (t *TensorProto) elements() int64 {
	size := int64(1)
	for _, d := range t.Dims {
		size *= d
	}
	return size
}

// dataSize is how many bytes they take.
func (t *TensorProto) dataSize() int64 {
	return t.elements() * int64(elementSize[TensorProto_DataType(t.DataType)])
}

// check compares the size of a tensor's data with its shape. Those of a deferred tensor are not there yet.
func (t *TensorProto) check() error {
	if t.DataLocation == TensorProto_EXTERNAL && len(t.RawData) == 0 {
		return t.checkShape()
	}
	return t.checkData(int64(len(t.RawData)))
}

// checkData does the same where raw_data have that many bytes.
func (t *TensorProto) checkData(raw int64) error {
	if err := t.checkShape(); err != nil {
		return err
	}
	if raw > 0 && raw != t.dataSize() {
		return FormatError(fmt.Sprintf("tensor %s of shape %v has %d bytes, want %d", t.Name, t.Dims, raw, t.dataSize()))
	}
	if d := TensorProto_DataType(t.DataType); raw == 0 && t.elements() > 0 && (d == TensorProto_UINT32 || d == TensorProto_UINT64) {
		return UnsupportedError(fmt.Sprintf("tensor %s has elements of type %v outside raw_data", t.Name, d))
	}
	if n := t.typedLength(); raw == 0 && n != t.elements() {
		return FormatError(fmt.Sprintf("tensor %s of shape %v has %d elements, want %d", t.Name, t.Dims, n, t.elements()))
	}
	return nil
}

// typedLength returns the number of elements in the field that an element type without raw_data has.
func (t *TensorProto) typedLength() int64 {
	switch TensorProto_DataType(t.DataType) {
	case TensorProto_FLOAT:
		return int64(len(t.FloatData))
	case TensorProto_INT64:
		return int64(len(t.Int64Data))
	case TensorProto_DOUBLE:
		return int64(len(t.DoubleData))
	}
	return int64(len(t.Int32Data))
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
