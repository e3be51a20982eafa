//go:build cgo && !windows

package ort_test

import (
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/proto"

	"goalbert/onnx"
	"goalbert/runtime/ort"
)

// Whatever a file is, opening it ends in a session or an error, and the process lives.
func FuzzOpen(f *testing.F) {
	if _, err := ort.Find(""); err != nil {
		f.Skipf("needs ONNX Runtime: %v", err)
	}
	add := func(change func(m *onnx.ModelProto)) {
		b := onnx.NewBuilder("small")
		x := b.Input("x", onnx.TensorProto_FLOAT, "n", 3)
		w := b.Initializer(onnx.NewFloats("w", []int{2, 3}, []float32{1, 2, 3, 4, 5, 6}))
		axes := b.Initializer(onnx.NewInt64s("axes", []int{1}, []int64{1}))
		y := b.Node("Gemm", "gemm", []string{x, w}, onnx.Int("transB", 1))
		y = b.Node("Mul", "square", []string{y, y})
		y = b.Node("ReduceSum", "sum", []string{y, axes})
		b.Output(b.Node("Identity", "result", []string{y}), onnx.TensorProto_FLOAT, "n", 1)
		m := b.Model(18)
		change(m)
		data, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	add(func(*onnx.ModelProto) {})
	add(func(m *onnx.ModelProto) { m.Graph.Initializer[0].Dims = []int64{1 << 40} })
	add(func(m *onnx.ModelProto) { m.Graph.Node[0].Input[0] = "sum" })
	add(func(m *onnx.ModelProto) { m.Graph.Initializer = m.Graph.Initializer[1:] })
	outside := []*onnx.StringStringEntryProto{{Key: "location", Value: "/etc/passwd"}}
	add(func(m *onnx.ModelProto) { // behind what our reader does not support
		m.Graph.Initializer[0] = &onnx.TensorProto{Name: "w", Dims: []int64{6}, DataType: 17, RawData: make([]byte, 6)}
		m.Graph.Initializer[1].DataLocation, m.Graph.Initializer[1].ExternalData = onnx.TensorProto_EXTERNAL, outside
	})
	add(func(m *onnx.ModelProto) {
		t := &onnx.TensorProto{Dims: []int64{2, 3}, DataType: 1, DataLocation: onnx.TensorProto_EXTERNAL, ExternalData: outside}
		m.Graph.Node[0].Input[1] = "constant"
		m.Graph.Node = append([]*onnx.NodeProto{{OpType: "Constant", Output: []string{"constant"}, Attribute: []*onnx.AttributeProto{
			{Name: "value", Type: onnx.AttributeProto_TENSOR, T: t}}}}, m.Graph.Node...)
	})
	for _, op := range onnx.Operators() {
		add(func(m *onnx.ModelProto) { m.Graph.Node[3].OpType = op })
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(dir, "model.onnx")
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		s, err := ort.Open(path, ort.Options{IntraOpThreads: 1})
		if err != nil {
			return
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}
