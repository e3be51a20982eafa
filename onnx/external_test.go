package onnx

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"google.golang.org/protobuf/proto"
)

// externalModel adds three tensors to x: one that is too small for a second file, and two of different alignment.
func externalModel() *ModelProto {
	b := NewBuilder("external")
	x := b.Input("x", TensorProto_FLOAT, "n")
	for i, length := range []int{1, 1000, 300_000} {
		values := make([]float32, length)
		for i := range values {
			values[i] = float32(i + length)
		}
		name := b.Initializer(NewFloats(string(rune('a'+i)), []int{length}, values))
		x = b.Node("Add", "with "+name, []string{x, name})
	}
	b.Output(x, TensorProto_FLOAT, "n")
	return b.Model(18)
}

// writeExternal writes m as two files and returns the path of the first.
func writeExternal(t testing.TB, m *ModelProto) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.onnx")
	for name, write := range map[string]func(*os.File) error{
		path:           func(f *os.File) error { return WriteExternal(f, m, nil, "model.onnx.data") },
		path + ".data": func(f *os.File) error { return WriteData(f, m, nil) },
	} {
		f, err := os.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := write(f); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func TestExternalDataRoundTrip(t *testing.T) {
	want := externalModel()
	path := writeExternal(t, want)
	got, err := ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	graph, err := ReadGraph(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, w := range want.Graph.Initializer {
		r := got.Graph.Initializer[i]
		if string(r.RawData) != string(w.RawData) || len(graph.Graph.Initializer[i].RawData) > 0 {
			t.Errorf("tensor %s: read %d bytes, want those %d, and none of the graph alone", w.Name, len(r.RawData), len(w.RawData))
		}
		if external := r.DataLocation == TensorProto_EXTERNAL; external != (w.Name != "a") {
			t.Errorf("tensor %s lies in the second file: %v", w.Name, external)
		}
		for _, e := range r.ExternalData {
			n, _ := strconv.Atoi(e.Value)
			if alignment := map[string]int{"b": 4096, "c": 65536}[w.Name]; e.Key == "offset" && n%alignment != 0 {
				t.Errorf("tensor %s begins at %d, want a multiple of %d", w.Name, n, alignment)
			}
		}
	}
	if err := Check(got); err != nil {
		t.Error(err)
	}
	// Written into one file again it is the first.
	if string(marshal(t, got)) != string(marshal(t, want)) {
		t.Error("in one file again, it is another model")
	}
	var text strings.Builder
	if err := WriteText(&text, graph); err != nil || !strings.Contains(text.String(), "c FLOAT [300000] in model.onnx.data\n") ||
		!strings.Contains(text.String(), "1204004 bytes in all") {
		t.Errorf("error %v, text\n%s", err, &text)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Parse(data); err == nil || !strings.Contains(err.Error(), "lies in another file") {
		t.Errorf("bytes without their folder: got error %v", err)
	}
}

// What a model says of another file is not believed: nothing outside its folder is opened, and nothing allocated that is
// not there.
func TestHostileExternalData(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, make([]byte, 1_200_000), 0o666); err != nil {
		t.Fatal(err)
	}
	set := func(w *TensorProto, key, value string) {
		for _, e := range w.ExternalData {
			if e.Key == key {
				e.Value = value
				return
			}
		}
		panic("no key " + key)
	}
	locate := func(location string) func(*TensorProto, string) {
		return func(w *TensorProto, _ string) { set(w, "location", location) }
	}
	for _, test := range []struct {
		want   string
		change func(w *TensorProto, dir string)
	}{
		{"want a file in the model's directory", locate(outside)},
		{"want a file in the model's directory", locate("../outside")},
		{"want a file in the model's directory", locate("a/../../outside")},
		{"want a file in the model's directory", locate("/etc/passwd")},
		{"does not say in which", locate("")},
		{"no such file", locate("other.data")},
		{"no regular file", locate(".")},
		{"escapes", func(w *TensorProto, dir string) {
			if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
				t.Skip(err)
			}
			set(w, "location", "link")
		}},
		{"no regular file", func(w *TensorProto, dir string) {
			if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o666); err != nil {
				t.Skip(err)
			}
			set(w, "location", "pipe")
		}},
		{"want a whole number", func(w *TensorProto, _ string) { set(w, "offset", "-1") }},
		{"want a whole number", func(w *TensorProto, _ string) { set(w, "length", "99999999999999999999") }},
		{"want a whole number", func(w *TensorProto, _ string) { set(w, "length", "-1") }},
		{"location of its external data is there twice", func(w *TensorProto, _ string) {
			w.ExternalData = append(w.ExternalData, &StringStringEntryProto{Key: "location", Value: "model.onnx.data"})
		}},
		{"bytes of external data, want 1200000", func(w *TensorProto, _ string) { set(w, "length", "1199999") }},
		{"bytes from 9223372036854775807 on", func(w *TensorProto, _ string) { set(w, "offset", "9223372036854775807") }},
		{"which has 1265536; export the model again", func(w *TensorProto, _ string) { set(w, "offset", "65540") }},
		{"which has 1265536; export the model again", func(w *TensorProto, _ string) {
			w.Dims = []int64{1 << 30}
			set(w, "length", "4294967296")
		}},
		{"impossible shape", func(w *TensorProto, _ string) {
			w.Dims = []int64{1 << 62}
			set(w, "length", "0")
		}},
	} {
		path := writeExternal(t, externalModel())
		m := new(ModelProto)
		readMessage(t, path, m)
		test.change(m.Graph.Initializer[2], filepath.Dir(path))
		writeMessage(t, path, m)
		for _, read := range []func(string) (*ModelProto, error){ReadFile, ReadGraph} {
			var err error
			allocated := allocation(func() { _, err = read(path) })
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "tensor c") || strings.Contains(err.Error(), "\n") {
				t.Errorf("got error %v, want one line on tensor c that says %q", err, test.want)
			}
			if allocated > 1<<20 {
				t.Errorf("%s: %d bytes were allocated for a model that is refused", test.want, allocated)
			}
		}
	}
}

// hidden returns models that have an external tensor elsewhere than among the graph's initializers, by where it is.
func hidden() map[string]*ModelProto {
	outside := func() *TensorProto {
		return &TensorProto{Name: "outside", Dims: []int64{4}, DataType: int32(TensorProto_FLOAT), DataLocation: TensorProto_EXTERNAL,
			ExternalData: place{"../outside", 0, 16}.entries()}
	}
	constant := func() *AttributeProto {
		return &AttributeProto{Name: "value", Type: AttributeProto_TENSOR, T: outside()}
	}
	sparse := func() *SparseTensorProto { return &SparseTensorProto{Values: outside(), Dims: []int64{9}} }
	node := func(a *AttributeProto) []*NodeProto {
		return []*NodeProto{{OpType: "Constant", Output: []string{"c"}, Attribute: []*AttributeProto{a}}}
	}
	list := map[string]*ModelProto{}
	for where, change := range map[string]func(m *ModelProto){
		"a constant":                   func(m *ModelProto) { m.Graph.Node = node(constant()) },
		"an attribute of tensors":      func(m *ModelProto) { m.Graph.Node = node(&AttributeProto{Tensors: []*TensorProto{outside()}}) },
		"an attribute's sparse tensor": func(m *ModelProto) { m.Graph.Node = node(&AttributeProto{SparseTensor: sparse()}) },
		"an attribute's sparse tensors": func(m *ModelProto) {
			m.Graph.Node = node(&AttributeProto{SparseTensors: []*SparseTensorProto{sparse()}})
		},
		"a sparse initializer": func(m *ModelProto) { m.Graph.SparseInitializer = []*SparseTensorProto{sparse()} },
		"indices": func(m *ModelProto) {
			m.Graph.SparseInitializer = []*SparseTensorProto{{Indices: outside(), Dims: []int64{9}}}
		},
		"a subgraph's initializer": func(m *ModelProto) {
			m.Graph.Node = node(&AttributeProto{G: &GraphProto{Initializer: []*TensorProto{outside()}}})
		},
		"a subgraph's sparse initializer": func(m *ModelProto) {
			m.Graph.Node = node(&AttributeProto{G: &GraphProto{SparseInitializer: []*SparseTensorProto{sparse()}}})
		},
		"a constant in a subgraph": func(m *ModelProto) { m.Graph.Node = node(&AttributeProto{G: &GraphProto{Node: node(constant())}}) },
		"one of several subgraphs": func(m *ModelProto) {
			m.Graph.Node = node(&AttributeProto{Graphs: []*GraphProto{{}, {Node: node(constant())}}})
		},
		"a function": func(m *ModelProto) { m.Functions = []*FunctionProto{{Name: "f"}, {Name: "g", Node: node(constant())}} },
		"a function's attribute": func(m *ModelProto) {
			m.Functions = []*FunctionProto{{Name: "f", AttributeProto: []*AttributeProto{constant()}}}
		},
	} {
		m := unsupported()
		change(m)
		list[where] = m
	}
	return list
}

// unsupported returns a model whose first initializer has elements that are not supported here, eight-bit floats, and whose
// second lies in another file.
func unsupported() *ModelProto {
	m := linearModel()
	m.Graph.Initializer = []*TensorProto{
		{Name: "eight", Dims: []int64{4}, DataType: 17, RawData: make([]byte, 4)},
		{Name: "w", Dims: []int64{4}, DataType: int32(TensorProto_FLOAT), DataLocation: TensorProto_EXTERNAL,
			ExternalData: place{"model.onnx.data", 0, 16}.entries()},
	}
	return m
}

// What is not supported keeps nothing from being judged: places outside, sizes, and what lies behind it.
func TestUnsupportedHidesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "model.onnx")
	if err := os.WriteFile(path+".data", make([]byte, 16), 0o666); err != nil {
		t.Fatal(err)
	}
	read := func(m *ModelProto) (*ModelProto, error) {
		t.Helper()
		writeMessage(t, path, m)
		_, err := ReadFile(path)
		graph, graphErr := ReadGraph(path)
		if err == nil || graphErr == nil || err.Error() != graphErr.Error() {
			t.Errorf("with its data: %v; without: %v", err, graphErr)
		}
		return graph, graphErr
	}
	m, err := read(unsupported())
	if _, ok := errors.AsType[UnsupportedError](err); !ok || m == nil || len(m.Graph.Node) == 0 || !strings.Contains(err.Error(), "tensor eight") {
		t.Errorf("got %v, error %v; want the model, and that eight is not supported", m, err)
	}
	damaged := hidden()
	for where, change := range map[string]func(m *ModelProto){
		"outside":        func(m *ModelProto) { m.Graph.Initializer[1].ExternalData[0].Value = "../outside" },
		"eight outside":  func(m *ModelProto) { m.Graph.Initializer[0].ExternalData = place{"../outside", 0, 4}.entries() },
		"eight too long": func(m *ModelProto) { m.Graph.Initializer[0].ExternalData = place{"model.onnx.data", 13, 4}.entries() },
		"too long":       func(m *ModelProto) { m.Graph.Initializer[1].ExternalData[1].Value = "1" },
		"another size":   func(m *ModelProto) { m.Graph.Initializer[1].Dims[0] = 3 },
		"data of no shape": func(m *ModelProto) {
			m.Graph.Initializer[1] = &TensorProto{Name: "w", Dims: []int64{4}, DataType: 1, RawData: make([]byte, 3)}
		},
	} {
		m := unsupported()
		change(m)
		if e := m.Graph.Initializer[0]; len(e.ExternalData) > 0 {
			e.DataLocation = TensorProto_EXTERNAL
		}
		damaged[where] = m
	}
	for where, m := range damaged {
		got, err := read(m)
		if _, ok := errors.AsType[FormatError](err); !ok || got != nil {
			t.Errorf("%s: got %v, error %v, want a FormatError", where, got, err)
		}
		if _, parsed := Parse(encode(t, m)); parsed == nil {
			t.Errorf("%s: it was read from memory", where)
		}
	}
}

// A thousand tensors in the same place would be a thousand times in memory.
func TestTensorsInOnePlace(t *testing.T) {
	path := writeExternal(t, externalModel())
	m := new(ModelProto)
	readMessage(t, path, m)
	for range 1000 {
		m.Graph.Initializer = append(m.Graph.Initializer, m.Graph.Initializer[2])
	}
	writeMessage(t, path, m)
	var err error
	if allocated := allocation(func() { _, err = ReadFile(path) }); allocated > 8<<20 || err == nil || !strings.Contains(err.Error(), "is another's too") {
		t.Errorf("%d bytes were allocated, error %v", allocated, err)
	}
}

func readMessage(t *testing.T, path string, m *ModelProto) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := proto.Unmarshal(data, m); err != nil {
		t.Fatal(err)
	}
}

func writeMessage(t *testing.T, path string, m *ModelProto) {
	t.Helper()
	if err := os.WriteFile(path, encode(t, m), 0o666); err != nil {
		t.Fatal(err)
	}
}

// encode returns m as it is, even where Write would refuse it.
func encode(t testing.TB, m *ModelProto) []byte {
	t.Helper()
	data, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// allocation returns the bytes that do allocates.
func allocation(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
