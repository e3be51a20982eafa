package gonnx

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"goalbert/internal/numeric"
	"goalbert/onnx"
	"goalbert/runtime"
)

// nodeTests is where the Debian package libonnx-testdata puts ONNX's own tests of operators.
const nodeTests = "/usr/share/libonnx-testdata/data/node"

// unreadable are cases that onnx-go cannot decode, which Open refuses by its words: tensors without elements.
var unreadable = []string{"test_reshape_allowzero_reordered", "test_slice_start_out_of_bounds"}

// uncovered are operators without a case on these types and with one output: LayerNormalization's all have three, and
// Cast's are all from or to another type. Both are part of every exported model, which is compared in package parity.
var uncovered = []string{"LayerNormalization", "Cast"}

// ONNX's backend tests of every operator that is implemented, of the cases on float32 and int64 with one output. They
// are of opsets up to 17; the operators have not changed since 13, but for Reshape (14) and LayerNormalization (new).
func TestONNXNodeTests(t *testing.T) {
	models, err := filepath.Glob(filepath.Join(nodeTests, "*", "model.onnx"))
	if err != nil || len(models) == 0 {
		t.Skipf("needs ONNX's node tests in %s (Debian package libonnx-testdata)", nodeTests)
	}
	covered := map[string]int{}
	for _, path := range models {
		m, err := onnx.ReadFile(path)
		if err != nil || len(m.Graph.Node) != 1 || operators[m.Graph.Node[0].OpType] == nil || m.OpsetVersion("") < 13 {
			continue
		}
		if slices.Contains(unreadable, filepath.Base(filepath.Dir(path))) {
			if _, err := Open(path, Options{}); err == nil {
				t.Errorf("%s can be read after all", path)
			}
			continue
		}
		if check(m) != nil || !ours(m.Graph.Output) {
			continue // other types, other domains, several outputs
		}
		covered[m.Graph.Node[0].OpType]++
		t.Run(filepath.Base(filepath.Dir(path)), func(t *testing.T) { runNodeTest(t, path, m) })
	}
	for name := range operators {
		if covered[name] == 0 && !slices.Contains(uncovered, name) {
			t.Errorf("no case of %s was run", name)
		}
	}
	t.Logf("cases by operator: %v", covered)
}

// ours reports whether all values are of types that are implemented.
func ours(values []*onnx.ValueInfoProto) bool {
	for _, v := range values {
		switch onnx.TensorProto_DataType(v.GetType().GetTensorType().GetElemType()) {
		case onnx.TensorProto_FLOAT, onnx.TensorProto_INT64:
		default:
			return false
		}
	}
	return true
}

func runNodeTest(t *testing.T, path string, m *onnx.ModelProto) {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSession(m, data)
	if err != nil {
		t.Fatal(err)
	}
	sets, err := filepath.Glob(filepath.Join(filepath.Dir(path), "test_data_set_*"))
	if err != nil || len(sets) == 0 {
		t.Fatalf("no data: %v", err)
	}
	for _, set := range sets {
		values := map[string]*array{}
		for i, name := range s.inputs {
			files, _ := filepath.Glob(filepath.Join(set, "input_*.pb"))
			if i < len(files) {
				values[name] = readTensor(t, filepath.Join(set, "input_"+string(rune('0'+i))+".pb"))
			}
		}
		got, err := s.compute(&s.operations[0], values)
		if err != nil {
			t.Fatal(err)
		}
		want := readTensor(t, filepath.Join(set, "output_0.pb"))
		if size(got.shape) != size(want.shape) || len(got.shape) != len(want.shape) {
			t.Fatalf("got shape %v, want %v", got.shape, want.shape)
		}
		for i, d := range want.shape {
			if got.shape[i] != d {
				t.Fatalf("got shape %v, want %v", got.shape, want.shape)
			}
		}
		if want.isFloat() {
			// ONNX's own runner of these tests admits 1e-7 and 1e-3.
			numeric.Check(t, "output", got.floats, want.floats, numeric.Tolerance{Absolute: 1e-6, Relative: 1e-5})
			continue
		}
		for i, v := range want.ints {
			if got.ints[i] != v {
				t.Fatalf("element %d is %d, want %d", i, got.ints[i], v)
			}
		}
	}
}

func readTensor(t *testing.T, path string) *array {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p := new(onnx.TensorProto)
	if err := proto.Unmarshal(data, p); err != nil {
		t.Fatal(err)
	}
	a := &array{shape: p.Shape()}
	if onnx.TensorProto_DataType(p.DataType) == onnx.TensorProto_FLOAT {
		if a.floats, err = p.Floats(); err != nil {
			t.Fatal(err)
		}
		return a
	}
	a.ints = make([]int64, len(p.RawData)/8)
	for i := range a.ints {
		for j := range 8 {
			a.ints[i] |= int64(p.RawData[8*i+j]) << (8 * j)
		}
	}
	if len(p.RawData) == 0 {
		a.ints = p.Int64Data
	}
	return a
}

// The operators that are implemented are those that our checker knows, so that a file which passes it runs.
func TestOperatorsAreTheCheckers(t *testing.T) {
	known := onnx.Operators()
	for _, name := range known {
		if operators[name] == nil {
			t.Errorf("%s is known to the checker and not implemented", name)
		}
	}
	if len(known) != len(operators) {
		t.Errorf("%d operators are implemented, the checker knows %d", len(operators), len(known))
	}
}

// Mistakes of a graph are errors that name the node, never a panic.
func TestWrongGraphs(t *testing.T) {
	build := func(op string, dims []any, attributes ...*onnx.AttributeProto) *onnx.ModelProto {
		b := onnx.NewBuilder("wrong")
		x := b.Input("x", onnx.TensorProto_FLOAT, dims...)
		y := b.Initializer(onnx.NewFloats("y", []int{2, 3}, make([]float32, 6)))
		b.Node(op, "result", []string{x, y}, attributes...)
		b.Output("result", onnx.TensorProto_FLOAT)
		return b.Model(opset)
	}
	for want, m := range map[string]*onnx.ModelProto{
		"do not broadcast":    build("Add", []any{4, 5}),
		"do not multiply":     build("MatMul", []any{4, 5}),
		"got float32, want":   build("Gather", []any{4, 5}),
		"axis 7 of a tensor":  build("Concat", []any{4, 5}, onnx.Int("axis", 7)),
		"do not fit":          build("LayerNormalization", []any{4, 5}),
		"shapes [4 5] and [2": build("Concat", []any{4, 5}, onnx.Int("axis", 0)),
	} {
		path := filepath.Join(t.TempDir(), "wrong.onnx")
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := onnx.Write(f, m); err != nil {
			t.Fatal(err)
		}
		f.Close()
		s, err := Open(path, Options{Threads: 2})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Run(context.Background(), map[string]runtime.Tensor{"x": runtime.NewTensor(make([]float32, 20), 4, 5)})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "node result, ") {
			t.Errorf("got error %v, want one that says %q of node result", err, want)
		}
	}
}

// Every other form of model is refused by what it has, before onnx-go sees it.
func TestOpenRefuses(t *testing.T) {
	model := func(change func(*onnx.ModelProto)) *onnx.ModelProto {
		b := onnx.NewBuilder("model")
		x := b.Input("x", onnx.TensorProto_FLOAT, 4)
		b.Node("Relu", "y", []string{x})
		b.Output("y", onnx.TensorProto_FLOAT, 4)
		m := b.Model(opset)
		change(m)
		return m
	}
	for want, m := range map[string]*onnx.ModelProto{
		"of version 17, want 18":    model(func(m *onnx.ModelProto) { m.OpsetImport[0].Version = 17 }),
		"has functions":             model(func(m *onnx.ModelProto) { m.Functions = []*onnx.FunctionProto{{Name: "layer"}} }),
		`operator Loop of domain`:   model(func(m *onnx.ModelProto) { m.Graph.Node[0].OpType = "Loop" }),
		`of domain "com.microsoft"`: model(func(m *onnx.ModelProto) { m.Graph.Node[0].Domain = "com.microsoft" }),
		"elements of type FLOAT16": model(func(m *onnx.ModelProto) {
			m.Graph.Input[0].Type.GetTensorType().ElemType = int32(onnx.TensorProto_FLOAT16)
		}),
		"is not computed": model(func(m *onnx.ModelProto) { m.Graph.Node[0].Input[0] = "z" }),
	} {
		path := filepath.Join(t.TempDir(), "model.onnx")
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := onnx.Write(f, m); err != nil {
			t.Fatal(err)
		}
		f.Close()
		if _, err := Open(path, Options{}); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("got error %v, want one that says %q of the file", err, want)
		}
	}
}

func TestRunRefusesInputs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.onnx")
	b := onnx.NewBuilder("model")
	x := b.Input("x", onnx.TensorProto_INT64, "n")
	b.Node("Cast", "y", []string{x}, onnx.Int("to", toFloat))
	b.Output("y", onnx.TensorProto_FLOAT, "n")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := onnx.Write(f, b.Model(opset)); err != nil {
		t.Fatal(err)
	}
	f.Close()
	s, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for want, inputs := range map[string]map[string]runtime.Tensor{
		"input x is missing":                      {},
		"the model has no input z":                {"z": runtime.NewTensor([]int64{1}, 1)},
		"holds []float32, want []int64":           {"x": runtime.NewTensor([]float32{1}, 1)},
		"want 1 dimensions and at least one elem": {"x": runtime.NewTensor([]int64{1}, 1, 1)},
	} {
		if _, err := s.Run(context.Background(), inputs); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one that says %q", err, want)
		}
	}
	out, err := s.Run(context.Background(), map[string]runtime.Tensor{"x": runtime.NewTensor([]int64{3, -1}, 2)})
	if err != nil || out["y"].Data.([]float32)[1] != -1 {
		t.Errorf("got %v, error %v", out, err)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Run(cancelled, map[string]runtime.Tensor{"x": runtime.NewTensor([]int64{3}, 1)}); err != context.Canceled {
		t.Errorf("cancelled: got error %v", err)
	}
}
