package gonnx

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"goalbert/internal/numeric"
	"goalbert/onnx"
)

// nodeTests is where the Debian package libonnx-testdata puts ONNX's own tests of operators.
const nodeTests = "/usr/share/libonnx-testdata/data/node"

// refused are the cases on our operators and types that are not taken, and why. There is none among them that onnx-go
// cannot decode, because it is given no shapes: test_split_zero_size_splits and others declare dimensions of 0.
var refused = map[string]string{
	"test_unsqueeze_axis_3": "of opset 11: axes are an attribute",
}

// unchanged are operators whose newest cases are of an opset before 13, and have no difference to that of 13 but in
// types that are not ours.
var unchanged = []string{"ConstantOfShape", "Pow", "Range"}

// uncovered are operators without a case on our types: Equal's are on int32, and Cast's from or to types that are not
// ours. operators_test.go has both.
var uncovered = []string{"Equal", "Cast"}

// ONNX's backend tests of every operator that is known, on float32, int64 and bool.
func TestONNXNodeTests(t *testing.T) {
	models, err := filepath.Glob(filepath.Join(nodeTests, "*", "model.onnx"))
	if err != nil || len(models) == 0 {
		t.Skipf("needs ONNX's node tests in %s (Debian package libonnx-testdata)", nodeTests)
	}
	covered := map[string]int{}
	for _, path := range models {
		m, err := onnx.ReadFile(path)
		if err != nil || !ours(m) {
			continue
		}
		name := filepath.Base(filepath.Dir(path))
		if why, ok := refused[name]; ok {
			if _, err := newProgram(m); err == nil {
				t.Errorf("%s is taken, though it is %s", name, why)
			}
			continue
		}
		if slices.Contains(unchanged, m.Graph.Node[0].OpType) && m.OpsetVersion("") < oldestOpset {
			m.OpsetImport[0].Version = oldestOpset
		}
		for _, n := range m.Graph.Node {
			covered[n.OpType]++
		}
		t.Run(name, func(t *testing.T) { runNodeTest(t, filepath.Dir(path), m) })
	}
	for name := range specifications {
		if covered[name] == 0 && !slices.Contains(uncovered, name) {
			t.Errorf("no case of %s was run", name)
		}
	}
	t.Logf("nodes by operator: %v", covered)
}

// ours reports whether a case has our operators and types alone.
func ours(m *onnx.ModelProto) bool {
	for _, n := range m.Graph.Node {
		if _, known := specifications[n.OpType]; !known {
			return false
		}
	}
	for _, v := range slices.Concat(m.Graph.Input, m.Graph.Output) {
		switch onnx.TensorProto_DataType(v.GetType().GetTensorType().GetElemType()) {
		case onnx.TensorProto_FLOAT, onnx.TensorProto_INT64, onnx.TensorProto_BOOL:
		default:
			return false
		}
	}
	return true
}

func runNodeTest(t *testing.T, dir string, m *onnx.ModelProto) {
	p, err := newProgram(m)
	if err != nil {
		t.Fatal(err)
	}
	sets, err := filepath.Glob(filepath.Join(dir, "test_data_set_*"))
	if err != nil || len(sets) == 0 {
		t.Fatalf("no data, error %v", err)
	}
	for _, set := range sets {
		var inputs []tensor
		for i := range p.inputs {
			inputs = append(inputs, readTensor(t, filepath.Join(set, fmt.Sprintf("input_%d.pb", i))))
		}
		got, err := p.evaluate(context.Background(), newRun(2), inputs)
		if err != nil {
			t.Fatal(err)
		}
		for i, name := range p.outputNames {
			checkTensor(t, name, got[i], readTensor(t, filepath.Join(set, fmt.Sprintf("output_%d.pb", i))))
		}
	}
}

func newRun(threads int) *run {
	return &run{pool: pool{threads}, limit: maxElements, memory: new(memory)}
}

// checkTensor compares floats within a tolerance, and everything else exactly.
func checkTensor(t *testing.T, name string, got, want tensor) {
	t.Helper()
	if !slices.Equal(got.shape, want.shape) || got.typeName() != want.typeName() {
		t.Errorf("%s: got %s of shape %v, want %s of %v", name, got.typeName(), got.shape, want.typeName(), want.shape)
		return
	}
	switch data := want.data.(type) {
	case []float32:
		numeric.Check(t, name, got.data.([]float32), data, numeric.GoldenFloat32)
	case []int64:
		if !slices.Equal(got.data.([]int64), data) {
			t.Errorf("%s: got %v, want %v", name, got.data, data)
		}
	case []bool:
		if !slices.Equal(got.data.([]bool), data) {
			t.Errorf("%s: got %v, want %v", name, got.data, data)
		}
	}
}

func readTensor(t *testing.T, path string) tensor {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p := new(onnx.TensorProto)
	if err := proto.Unmarshal(data, p); err != nil {
		t.Fatal(err)
	}
	out := tensor{shape: p.Shape()}
	switch elements := onnx.TensorProto_DataType(p.DataType); elements {
	case onnx.TensorProto_FLOAT:
		values, err := p.Floats()
		if err != nil {
			t.Fatal(err)
		}
		out.data = append([]float32{}, values...)
	case onnx.TensorProto_INT64:
		values := append([]int64{}, p.Int64Data...)
		for raw := p.RawData; len(raw) > 0; raw = raw[8:] {
			values = append(values, int64(binary.LittleEndian.Uint64(raw)))
		}
		out.data = values
	case onnx.TensorProto_BOOL:
		values := []bool{}
		for _, b := range p.RawData {
			values = append(values, b != 0)
		}
		for _, b := range p.Int32Data {
			values = append(values, b != 0)
		}
		out.data = values
	default:
		t.Fatalf("%s: elements of type %v", path, elements)
	}
	if size(out.shape) != length(out.data) {
		t.Fatalf("%s: %d elements for shape %v", path, length(out.data), out.shape)
	}
	return out
}

// The operators that are known include all that our checker knows, so that what we export unrolled in fp32 runs. Those of
// other forms, which are refused by name, are a Loop's and int8's.
func TestOperatorsIncludeTheCheckers(t *testing.T) {
	for _, name := range onnx.Operators() {
		if _, known := specifications[name]; known == (name == "Loop" || forms[name] == "int8") {
			t.Errorf("%s is known to the checker; here it must be as well, unless it is another form's. Known here are %s", name, strings.Join(operatorNames(), " "))
		}
	}
}
