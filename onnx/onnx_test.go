package onnx

import (
	"bytes"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
)

// linearModel is y = x·wᵀ + b with w (2, 3).
func linearModel() *ModelProto {
	b := NewBuilder("linear")
	x := b.Input("x", TensorProto_FLOAT, "rows", 3)
	w := b.Initializer(NewFloats("w", []int{2, 3}, []float32{1, 2, 3, 4, 5, 6}))
	bias := b.Initializer(NewFloats("b", []int{2}, []float32{0.5, -0.5}))
	b.Node("Gemm", "y", []string{x, w, bias}, Int("transB", 1))
	b.Output("y", TensorProto_FLOAT, "rows", 2)
	return b.Model(18)
}

func marshal(t testing.TB, m *ModelProto) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, m); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestRoundTrip(t *testing.T) {
	m := linearModel()
	if err := Check(m); err != nil {
		t.Fatal(err)
	}
	file := marshal(t, m)
	if again := marshal(t, linearModel()); !bytes.Equal(file, again) {
		t.Error("the same model gave other bytes")
	}
	got, err := Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(got, m) {
		t.Errorf("read %v, want what was written, %v", got, m)
	}
	values, err := got.Graph.Initializer[0].Floats()
	if err != nil || len(values) != 6 || values[5] != 6 {
		t.Errorf("got %v, error %v; want 1 to 6", values, err)
	}
	if got.OpsetVersion("") != 18 || got.OpsetVersion("com.microsoft") != 0 {
		t.Errorf("got opset %d and %d, want 18 and 0", got.OpsetVersion(""), got.OpsetVersion("com.microsoft"))
	}
}

// Every beginning of a file is an error, or a model that is refused by Check: its end has the opset.
func TestTruncatedFiles(t *testing.T) {
	file := marshal(t, linearModel())
	dir := t.TempDir()
	for n := range file {
		path := filepath.Join(dir, "truncated.onnx")
		if err := os.WriteFile(path, file[:n], 0o666); err != nil {
			t.Fatal(err)
		}
		m, err := ReadFile(path)
		if err == nil {
			err = Check(m)
		} else if !strings.Contains(err.Error(), path) {
			t.Fatalf("%d bytes: error %v does not name the file", n, err)
		}
		if _, format := errors.AsType[FormatError](err); !format {
			t.Fatalf("%d of %d bytes: got error %v, want a FormatError", n, len(file), err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for want, change := range map[string]func(*TensorProto){
		"has 20 bytes, want 24":      func(w *TensorProto) { w.RawData = w.RawData[:20] },
		"has 0 elements, want 6":     func(w *TensorProto) { w.RawData = nil },
		"impossible shape":           func(w *TensorProto) { w.Dims = []int64{1 << 40, 1 << 40} },
		"impossible shape [-2 3]":    func(w *TensorProto) { w.Dims[0] = -2 },
		"lies in another file":       func(w *TensorProto) { w.DataLocation = TensorProto_EXTERNAL },
		"has elements of type STRIN": func(w *TensorProto) { w.DataType = int32(TensorProto_STRING) },
	} {
		m := linearModel()
		change(m.Graph.Initializer[0])
		data, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(data); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "tensor w") {
			t.Errorf("got error %v, want one that says %q of tensor w", err, want)
		}
	}
}

func TestCheckRefuses(t *testing.T) {
	for want, damage := range map[string]func(*ModelProto){
		"the graph has no name":             func(m *ModelProto) { m.Graph.Name = "" },
		"want both":                         func(m *ModelProto) { m.OpsetImport = nil },
		"want a name, a domain of its own":  func(m *ModelProto) { m.Functions = []*FunctionProto{{Name: "f"}} },
		"there is a value of that name":     func(m *ModelProto) { m.Graph.Initializer[0].Name = "x" },
		"initializer without a name":        func(m *ModelProto) { m.Graph.Initializer[0].Name = "" },
		"input \"w\" is not computed":       func(m *ModelProto) { m.Graph.Initializer[0].Name = "v" },
		"initializer b is not used":         func(m *ModelProto) { m.Graph.Node[0].Input = m.Graph.Node[0].Input[:2] },
		"has 1 inputs and 1 outputs":        func(m *ModelProto) { m.Graph.Node[0].Input = m.Graph.Node[0].Input[:1] },
		"operator Conv of domain":           func(m *ModelProto) { m.Graph.Node[0].OpType = "Conv" },
		"operator Gemm of domain \"com.x\"": func(m *ModelProto) { m.Graph.Node[0].Domain = "com.x" },
		"Gemm has no attribute axis":        func(m *ModelProto) { m.Graph.Node[0].Attribute[0].Name = "axis" },
		"transB is of type FLOAT, want INT": func(m *ModelProto) { m.Graph.Node[0].Attribute[0].Type = AttributeProto_FLOAT },
		"Cast lacks its attribute to": func(m *ModelProto) {
			m.Graph.Node = append(m.Graph.Node, &NodeProto{Name: "c", OpType: "Cast", Input: []string{"y"}, Output: []string{"z"}})
		},
		"output \"z\" is not computed": func(m *ModelProto) { m.Graph.Output[0].Name = "z" },
		"the graph has no output":      func(m *ModelProto) { m.Graph.Output = nil },
		"there is a node of that name": func(m *ModelProto) { m.Graph.Node = append(m.Graph.Node, m.Graph.Node[0]) },
	} {
		m := linearModel()
		damage(m)
		if err := Check(m); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one that says %q", err, want)
		}
	}
}

// Every float16 is itself; a number between two goes to the nearer, and of two equally near ones to the even one.
func TestHalves(t *testing.T) {
	for h := range 1 << 16 {
		v := fromHalf(uint16(h))
		if v != v {
			continue
		}
		if got := toHalf(v); got != uint16(h) {
			t.Fatalf("%#04x is %v, which rounds to %#04x", h, v, got)
		}
		if h&0x7fff >= 0x7bff {
			continue
		}
		next := fromHalf(uint16(h) + 1)
		even := uint16(h) + uint16(h)&1
		middle := (v + next) / 2
		toward := func(x float32) float32 { return math.Nextafter32(middle, x) }
		if toHalf(middle) != even || toHalf(toward(v)) != uint16(h) || toHalf(toward(next)) != uint16(h)+1 {
			t.Fatalf("the middle of %v and %v, and the numbers around it, round to %#04x, %#04x, %#04x",
				v, next, toHalf(toward(v)), toHalf(middle), toHalf(toward(next)))
		}
	}
	for v, want := range map[float32]uint16{1: 0x3c00, -2: 0xc000, 65504: 0x7bff, 65519: 0x7bff, 1e-9: 0, 0x1p-24: 1} {
		if got := toHalf(v); got != want {
			t.Errorf("%v rounds to %#04x, want %#04x", v, got, want)
		}
	}
	if _, err := NewHalves("w", []int{2}, []float32{1, -65520}); err == nil || !strings.Contains(err.Error(), "tensor w: -65520 at 1") {
		t.Errorf("got error %v", err)
	}
	w, err := NewHalves("w", []int{2}, []float32{1, -0.5})
	if err != nil {
		t.Fatal(err)
	}
	if values, err := w.Floats(); err != nil || !slices.Equal(values, []float32{1, -0.5}) {
		t.Errorf("got %v, error %v", values, err)
	}
}

// loopModel doubles x three times in a Loop, and adds 1 in a function.
func loopModel() *ModelProto {
	body := NewBuilder("body")
	body.Input("i", TensorProto_INT64)
	condition := body.Input("again", TensorProto_BOOL)
	value := body.Input("value", TensorProto_FLOAT, "n")
	condition = body.Node("Identity", "condition", []string{condition})
	value = body.Node("Mul", "doubled", []string{value, "two"})
	body.Output(condition, TensorProto_BOOL)
	body.Output(value, TensorProto_FLOAT, "n")

	b := NewBuilder("loop")
	x := b.Input("x", TensorProto_FLOAT, "n")
	three := b.Initializer(NewInt64s("three", nil, []int64{3}))
	b.Initializer(NewFloats("two", nil, []float32{2}))
	one := b.Initializer(NewFloats("one", nil, []float32{1}))
	y := b.Node("Loop", "looped", []string{three, "", x}, body.Graph("body"))
	inside := NewBuilder("add")
	f := b.Function("ours", "Increment", 18, inside, inside.Node("Add", "sum", []string{"value", "step"}))
	b.Output(b.Call(f, "y", []string{y, one})[0], TensorProto_FLOAT, "n")
	return b.Model(18)
}

func TestLoopsAndFunctions(t *testing.T) {
	m := loopModel()
	if err := Check(m); err != nil {
		t.Fatal(err)
	}
	got, err := Parse(marshal(t, m))
	if err != nil || !proto.Equal(got, m) {
		t.Errorf("read %v, error %v; want what was written", got, err)
	}
	var text bytes.Buffer
	if err := WriteText(&text, m); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\n    doubled = Mul(value, two)\n", "\nfunction ours.Increment(value, step) = sum\n  sum = Add(", "ours 1"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in the text\n%s", want, &text)
		}
	}
}

func TestCheckRefusesInLoopsAndFunctions(t *testing.T) {
	loop := func(m *ModelProto) *NodeProto { return m.Graph.Node[0] }
	body := func(m *ModelProto) *GraphProto { return loop(m).Attribute[0].G }
	for want, damage := range map[string]func(*ModelProto){
		"Loop lacks its attribute body":             func(m *ModelProto) { loop(m).Attribute = nil },
		"its body is missing":                       func(m *ModelProto) { loop(m).Attribute[0].G = nil },
		"or has initializers":                       func(m *ModelProto) { body(m).Initializer = m.Graph.Initializer },
		"a Loop that carries 0 values":              func(m *ModelProto) { loop(m).Input = loop(m).Input[:2] },
		"with a body of 3 inputs and 1 outputs":     func(m *ModelProto) { body(m).Output = body(m).Output[1:] },
		"body of looped: onnx: node doubled: input": func(m *ModelProto) { body(m).Node[1].Input[0] = "y" },
		"there is a value of that name already":     func(m *ModelProto) { body(m).Node[1].Output[0] = "x" },
		`input "doubled" is not computed`:           func(m *ModelProto) { m.Graph.Node[1].Input[0] = "doubled" },
		"function Increment: onnx: node sum: input": func(m *ModelProto) { m.Functions[0].Node[0].Input[0] = "x" },
		`output "z" is not computed`:                func(m *ModelProto) { m.Functions[0].Output[0] = "z" },
		`does not import its domain "ours"`:         func(m *ModelProto) { m.OpsetImport = m.OpsetImport[:1] },
		"other operators than the model's":          func(m *ModelProto) { m.Functions[0].OpsetImport[0].Version = 17 },
		"1 inputs, 1 outputs and 0 attributes for":  func(m *ModelProto) { m.Graph.Node[1].Input = m.Graph.Node[1].Input[:1] },
		"and one of each name":                      func(m *ModelProto) { m.Functions = append(m.Functions, m.Functions[0]) },
		`operator Increment of domain "theirs"`:     func(m *ModelProto) { m.Graph.Node[1].Domain = "theirs" },
		`operator Increment of domain "ours"`: func(m *ModelProto) {
			m.Functions[0].Node[0].OpType, m.Functions[0].Node[0].Domain = "Increment", "ours" // calls itself
		},
	} {
		m := loopModel()
		damage(m)
		if err := Check(m); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one that says %q", err, want)
		}
	}
}

// microsoftModel is y = x·wᵀ with w in blocks of four bits, beside x rounded to eight bits.
func microsoftModel() *ModelProto {
	b := NewBuilder("blocks")
	x := b.Input("x", TensorProto_FLOAT, "rows", 32)
	w := b.Initializer(NewUint8s("w", []int{2, 1, 16}, make([]byte, 32)))
	scales := b.Initializer(NewFloats("scales", []int{2}, []float32{1, 2}))
	b.NodeOf(Microsoft, "MatMulNBits", "y", []string{x, w, scales}, Int("K", 32), Int("N", 2), Int("bits", 4), Int("block_size", 32))
	b.Outputs("DynamicQuantizeLinear", "rounded", []string{x}, []string{"levels", "scale", "zero"})
	b.Output("y", TensorProto_FLOAT, "rows", 2)
	b.Output("levels", TensorProto_UINT8, "rows", 32)
	return b.Model(18)
}

func TestOperatorsOfONNXRuntime(t *testing.T) {
	m := microsoftModel()
	if err := Check(m); err != nil {
		t.Fatal(err)
	}
	if m.OpsetVersion(Microsoft) != 1 || len(m.OpsetImport) != 2 {
		t.Errorf("the model imports %v, want the standard operators and version 1 of %s", m.OpsetImport, Microsoft)
	}
	node := func(m *ModelProto) *NodeProto { return m.Graph.Node[0] }
	for want, damage := range map[string]func(*ModelProto){
		`does not import the domain "com.microsoft"`:   func(m *ModelProto) { m.OpsetImport = m.OpsetImport[:1] },
		"MatMulNBits lacks its attribute N":            func(m *ModelProto) { node(m).Attribute = slices.Delete(node(m).Attribute, 1, 2) },
		"MatMulNBits has 2 inputs":                     func(m *ModelProto) { node(m).Input = node(m).Input[:2] },
		`operator MatMulNBits of domain ""`:            func(m *ModelProto) { node(m).Domain = "" },
		`operator Gemm of domain "com.microsoft"`:      func(m *ModelProto) { node(m).OpType = "Gemm" },
		"DynamicQuantizeLinear has 1 inputs and 4 out": func(m *ModelProto) { m.Graph.Node[1].Output = append(m.Graph.Node[1].Output, "more") },
		"a domain of its own": func(m *ModelProto) {
			m.Functions = []*FunctionProto{{Name: "f", Domain: Microsoft}}
		},
	} {
		m := microsoftModel()
		damage(m)
		if err := Check(m); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one that says %q", err, want)
		}
	}
}

func TestBytes(t *testing.T) {
	w := NewInt8s("w", []int{3}, []int8{-128, -1, 127})
	want := []byte{0x80, 0xff, 0x7f}
	if got, err := w.Bytes(); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, error %v; want %v", got, err, want)
	}
	w.RawData, w.Int32Data = nil, []int32{-128, -1, 127} // the standard's other place for them
	if got, err := w.Bytes(); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, error %v; want %v", got, err, want)
	}
	if _, err := NewFloats("f", nil, []float32{1}).Bytes(); err == nil || !strings.Contains(err.Error(), "tensor f has elements of type FLOAT, want INT8 or UINT8") {
		t.Errorf("got error %v", err)
	}
}

func FuzzParse(f *testing.F) {
	file := marshal(f, linearModel())
	f.Add(file)
	f.Add(file[:len(file)/2])
	f.Add(marshal(f, loopModel()))
	f.Add(marshal(f, microsoftModel()))
	f.Fuzz(func(t *testing.T, file []byte) {
		m, err := Parse(file)
		if err != nil {
			return
		}
		Check(m)
		WriteText(&bytes.Buffer{}, m)
		for _, w := range m.Graph.Initializer {
			w.Floats()
		}
	})
}
