//go:build cgo && !windows

package ort

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	onnxruntime "github.com/yalue/onnxruntime_go"

	"goalbert/export"
	"goalbert/models"
	"goalbert/onnx"
	"goalbert/runtime"
)

// What a model declares is what ONNX Runtime says of it once it has loaded it: of every form and head that is exported, and
// of the models that ONNX tests its operators with. Of a dimension of an output ONNX Runtime may find out more.
func TestSignatureIsONNXRuntimes(t *testing.T) {
	if _, err := Find(""); err != nil {
		t.Skipf("needs ONNX Runtime: %v", err)
	}
	if _, err := Load(""); err != nil {
		t.Fatal(err)
	}
	c, err := models.Preset("albert-tiny")
	if err != nil {
		t.Fatal(err)
	}
	c.VocabSize, c.MaxPositionEmbeddings = 64, 16
	var paths []string
	for _, a := range models.Architectures() {
		if c.Architecture = a; a.HasLabels() {
			c.Labels = models.NewLabels("a", "b", "c")
		}
		w := models.NewWeights(c)
		w.Initialize(1)
		for _, o := range export.Cells() {
			path := filepath.Join(t.TempDir(), "model.onnx")
			if err := export.Write(path, w, o); err != nil {
				t.Fatal(err)
			}
			paths = append(paths, path)
		}
	}
	exported := len(paths)
	theirs, err := filepath.Glob("/usr/share/libonnx-testdata/data/node/*/model.onnx") // of a Debian package; there or not
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for i, path := range append(paths, theirs...) {
		m, err := checkModel(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		inputs, outputs, err := signature(m)
		if err != nil && i >= exported {
			continue // of other types
		}
		wantInputs, wantOutputs, wantErr := onnxruntime.GetInputOutputInfo(path)
		if wantErr != nil && i >= exported {
			continue // of an operator that it does not have
		}
		if err != nil || wantErr != nil {
			t.Errorf("%s: error %v, of ONNX Runtime %v", path, err, wantErr)
			continue
		}
		compared++
		for _, pair := range [][2][]onnxruntime.InputOutputInfo{{inputs, wantInputs}, {outputs, wantOutputs}} {
			equal := slices.EqualFunc(pair[0], pair[1], func(got, want onnxruntime.InputOutputInfo) bool {
				return got.Name == want.Name && got.DataType == want.DataType && got.OrtValueType == want.OrtValueType &&
					slices.EqualFunc(got.Dimensions, want.Dimensions, func(g, w int64) bool { return g == w || g < 0 && i >= exported })
			})
			if !equal {
				t.Errorf("%s: got %v, want %v", path, pair[0], pair[1])
			}
		}
	}
	if compared < exported || len(theirs) > 0 && compared < exported+len(theirs)/4 {
		t.Errorf("%d of %d models were compared", compared, exported+len(theirs))
	}
	t.Logf("%d models were compared", compared)
}

// Initializers are no inputs, and what is neither float32 nor int64, or nothing, is refused by its name.
func TestSignature(t *testing.T) {
	model := func(change func(m *onnx.ModelProto)) *onnx.ModelProto {
		b := onnx.NewBuilder("small")
		b.Node("Identity", "y", []string{b.Input("x", onnx.TensorProto_FLOAT, "n", 3)})
		b.Input("w", onnx.TensorProto_FLOAT, 2)
		b.Output("y", onnx.TensorProto_INT64, "n", 3)
		m := b.Model(18)
		change(m)
		return m
	}
	for _, given := range []func(m *onnx.ModelProto){
		func(m *onnx.ModelProto) {
			m.Graph.Initializer = []*onnx.TensorProto{onnx.NewFloats("w", []int{2}, []float32{1, 2})}
		},
		func(m *onnx.ModelProto) {
			values := onnx.NewFloats("w", []int{1}, []float32{1})
			m.Graph.SparseInitializer = []*onnx.SparseTensorProto{{Values: values, Dims: []int64{2}}, {}}
		},
	} {
		inputs, outputs, err := signature(model(given))
		if err != nil || len(inputs) != 1 || inputs[0].Name != "x" || !slices.Equal(inputs[0].Dimensions, []int64{-1, 3}) ||
			len(outputs) != 1 || outputs[0].DataType != onnxruntime.TensorElementDataTypeInt64 {
			t.Errorf("got %v and %v, error %v", inputs, outputs, err)
		}
	}
	for want, change := range map[string]func(m *onnx.ModelProto){
		`input "x" is of type BOOL`:       func(m *onnx.ModelProto) { m.Graph.Input[0].Type.GetTensorType().ElemType = 9 },
		`output "y" is of type UNDEFINED`: func(m *onnx.ModelProto) { m.Graph.Output[0].Type.GetTensorType().ElemType = 0 },
		`output "y" is declared as no`:    func(m *onnx.ModelProto) { m.Graph.Output[0].Type = nil },
		"got 0 inputs and 1 outputs":      func(m *onnx.ModelProto) { m.Graph.Input = nil },
		"got 2 inputs and 0 outputs":      func(m *onnx.ModelProto) { m.Graph.Output = nil },
	} {
		if _, _, err := signature(model(change)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one that says %q", err, want)
		}
	}
}

// A model that declares no shape takes any, and what ONNX Runtime returns can be bound.
func TestShapeIsNotDeclared(t *testing.T) {
	if _, err := Find(""); err != nil {
		t.Skipf("needs ONNX Runtime: %v", err)
	}
	b := onnx.NewBuilder("small")
	b.Node("Identity", "y", []string{b.Input("x", onnx.TensorProto_FLOAT)})
	b.Output("y", onnx.TensorProto_FLOAT)
	m := b.Model(18)
	m.Graph.Input[0].Type.GetTensorType().Shape, m.Graph.Output[0].Type.GetTensorType().Shape = nil, nil
	path := filepath.Join(t.TempDir(), "model.onnx")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := onnx.Write(file, m); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(path, Options{WarmUp: [][]int{{}, {2, 3}}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	in := map[string]runtime.Tensor{"x": runtime.NewTensor([]float32{1, 2, 3, 4, 5, 6}, 3, 2)}
	out, err := s.Run(t.Context(), in)
	if err != nil || !slices.Equal(out["y"].Shape, []int{3, 2}) {
		t.Fatalf("got %v, error %v", out, err)
	}
	bound, err := s.Bind(in, out)
	if err != nil {
		t.Fatal(err)
	}
	if err := bound.Close(); err != nil {
		t.Error(err)
	}
}
