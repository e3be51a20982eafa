package gonnx

import (
	"context"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"goalbert/onnx"
)

// small returns a valid model of a few nodes, among them one that reads a value twice and one with an attribute.
func small() *onnx.ModelProto {
	b := onnx.NewBuilder("small")
	x := b.Input("x", onnx.TensorProto_FLOAT, "n", 3)
	w := b.Initializer(onnx.NewFloats("w", []int{2, 3}, []float32{1, 2, 3, 4, 5, 6}))
	axes := b.Initializer(onnx.NewInt64s("axes", []int{1}, []int64{1}))
	y := b.Node("Gemm", "gemm", []string{x, w}, onnx.Int("transB", 1))
	y = b.Node("Mul", "square", []string{y, y})
	y = b.Node("ReduceSum", "sum", []string{y, axes})
	b.Output(b.Node("Identity", "result", []string{y}), onnx.TensorProto_FLOAT, "n", 1)
	return b.Model(newestOpset)
}

// A value that an operator reads twice is two inputs: onnx-go's own graphs make one of them.
func TestEdgesAreNotMerged(t *testing.T) {
	p, err := newProgram(small())
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.evaluate(context.Background(), newRun(1), []tensor{floats([]int{1, 3}, 1, 1, 1)})
	if err != nil {
		t.Fatal(err)
	}
	checkTensor(t, "result", got[0], floats([]int{1, 1}, 6*6+15*15))
}

// Every other form is refused by what it has, in one sentence.
func TestOpenRefusesForms(t *testing.T) {
	for want, change := range map[string]func(m *onnx.ModelProto){
		"has functions (layer)": func(m *onnx.ModelProto) { m.Functions = []*onnx.FunctionProto{{Name: "layer"}} },
		`the model is int8 (node "sum": DynamicQuantizeLinear), want fp32`: func(m *onnx.ModelProto) {
			m.Graph.Node[2].OpType = "DynamicQuantizeLinear"
		},
		`the model is int8 (node "body": MatMulInteger), want fp32`: func(m *onnx.ModelProto) {
			m.Graph.Node[0].Attribute[0].G = &onnx.GraphProto{Node: []*onnx.NodeProto{{Name: "body", OpType: "MatMulInteger"}}}
		},
		`the model is int4 (node "sum": MatMulNBits), want fp32`: func(m *onnx.ModelProto) {
			m.OpsetImport = append(m.OpsetImport, &onnx.OperatorSetIdProto{Domain: "com.microsoft", Version: 1})
			m.Graph.Node[2].OpType = "MatMulNBits"
		},
		`the model is fused for ONNX Runtime (node "sum": SkipLayerNormalization)`: func(m *onnx.ModelProto) {
			m.Graph.Node[2].OpType = "SkipLayerNormalization"
		},
		"opset 12, want 13 to 18":         func(m *onnx.ModelProto) { m.OpsetImport[0].Version = 12 },
		"opset 21, want 13 to 18":         func(m *onnx.ModelProto) { m.OpsetImport[0].Version = 21 },
		`node "sum" (Loop): the operator`: func(m *onnx.ModelProto) { m.Graph.Node[2].OpType = "Loop" },
		`domain "com.microsoft"`: func(m *onnx.ModelProto) {
			m.OpsetImport = append(m.OpsetImport, &onnx.OperatorSetIdProto{Domain: "com.microsoft", Version: 1})
		},
		`node "gemm" (Gemm): an operator of domain "ours"`: func(m *onnx.ModelProto) { m.Graph.Node[0].Domain = "ours" },
		`attribute "transB" is a graph`: func(m *onnx.ModelProto) {
			m.Graph.Node[0].Attribute[0].Type = onnx.AttributeProto_GRAPH
		},
		`attribute "transB" has no type`: func(m *onnx.ModelProto) { m.Graph.Node[0].Attribute[0].Type = 0 },
		"elements of type FLOAT16": func(m *onnx.ModelProto) {
			m.Graph.Initializer[0] = &onnx.TensorProto{
				Name: "w", Dims: []int64{2, 3}, DataType: int32(onnx.TensorProto_FLOAT16), RawData: make([]byte, 12),
			}
		},
		"elements of type INT8": func(m *onnx.ModelProto) {
			m.Graph.Initializer[0] = &onnx.TensorProto{
				Name: "w", Dims: []int64{2, 3}, DataType: int32(onnx.TensorProto_INT8), RawData: make([]byte, 6),
			}
		},
		"has no elements":           func(m *onnx.ModelProto) { m.Graph.Initializer[0] = onnx.NewFloats("w", []int{0, 3}, nil) },
		"as bytes, which onnx-go":   func(m *onnx.ModelProto) { m.Graph.Initializer[0].DataType = int32(onnx.TensorProto_BOOL) },
		"1 inputs and 1 outputs":    func(m *onnx.ModelProto) { m.Graph.Node[1].Input = []string{"gemm"} },
		"input 1 is left out":       func(m *onnx.ModelProto) { m.Graph.Node[1].Input[1] = "" },
		"first output has no name":  func(m *onnx.ModelProto) { m.Graph.Node[1].Output[0] = "" },
		"is not computed before it": func(m *onnx.ModelProto) { m.Graph.Node[0].Input[0] = "sum" },
		`value "gemm" is both`:      func(m *onnx.ModelProto) { m.Graph.Node[1].Output[0] = "gemm" },
		`output "nothing" is not`:   func(m *onnx.ModelProto) { m.Graph.Output[0].Name = "nothing" },
		"an input has no name":      func(m *onnx.ModelProto) { m.Graph.Input[0].Name = "" },
		`"x" is a tensor of INT32`: func(m *onnx.ModelProto) {
			m.Graph.Input[0].Type.GetTensorType().ElemType = int32(onnx.TensorProto_INT32)
		},
		`"result" is no tensor`: func(m *onnx.ModelProto) { m.Graph.Output[0].Type = nil },
	} {
		m := small()
		change(m)
		if _, err := open(m, 1); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got error %v, want one line that says %q", err, want)
		}
	}
}

// Whatever the file is, reading and running it ends in an answer or an error, and no tensor is larger than allowed.
func FuzzModel(f *testing.F) {
	add := func(change func(m *onnx.ModelProto)) {
		m := small()
		change(m)
		data, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	add(func(*onnx.ModelProto) {})
	for op := range specifications {
		add(func(m *onnx.ModelProto) { m.Graph.Node[2].OpType = op })
	}
	add(func(m *onnx.ModelProto) { m.Graph.Input[0].Type.GetTensorType().Shape.Dim[1] = nil })
	add(func(m *onnx.ModelProto) { m.Graph.ValueInfo = m.Graph.Input })
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := onnx.Parse(data)
		if err != nil {
			return
		}
		p, err := newProgram(m)
		if err != nil {
			return
		}
		r := newRun(2)
		r.limit = 1 << 12
		inputs := make([]tensor, len(p.inputs))
		for i := range inputs {
			inputs[i] = floats([]int{2, 3}, 1, 2, 3, 4, 5, 6)
		}
		outputs, err := p.evaluate(context.Background(), r, inputs)
		if err != nil && strings.Contains(err.Error(), "runtime error") {
			t.Errorf("a panic inside an operator: %v", err)
		}
		for _, o := range outputs {
			if o.store != nil && length(o.data) > r.limit {
				t.Errorf("an output of %d elements", length(o.data))
			}
		}
	})
}
