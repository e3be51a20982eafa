package gonnx

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"goalbert/onnx"
)

// The opsets whose operators are those of specifications: before 13 Softmax flattens, and axes are attributes; after 18
// there are types and attributes that nothing here was checked against.
const oldestOpset, newestOpset = 13, 18

// forms are those of exported files that are not for this engine, told by an operator that only they have.
var forms = map[string]string{
	"DynamicQuantizeLinear": "int8", "MatMulInteger": "int8", "DequantizeLinear": "int8", "QuantizeLinear": "int8",
	"MatMulNBits": "int4", "GatherBlockQuantized": "int4",
	"MultiHeadAttention": "fused", "SkipLayerNormalization": "fused",
}

// formError refuses a model of such a form by its name; nil is of another, or of none that is known.
func formError(m *onnx.ModelProto) error {
	nodes := m.Graph.Node
	for _, n := range m.Graph.Node {
		for _, a := range n.Attribute { // the body of a Loop
			nodes = append(nodes[:len(nodes):len(nodes)], a.G.GetNode()...)
		}
	}
	for _, n := range nodes {
		switch form := forms[n.OpType]; form {
		case "int8", "int4":
			return fmt.Errorf("the model is %s (node %q: %s), want fp32: export it with precision fp32 and its layers unrolled", form, n.Name, n.OpType)
		case "fused":
			return fmt.Errorf("the model is fused for ONNX Runtime (node %q: %s), want standard operators alone: export it without fusion", n.Name, n.OpType)
		}
	}
	return nil
}

// checkForm refuses what is not a flat graph of known standard operators on float32 and int64. It looks at what
// onnx-go does not show, or would mistake: a call of a function for an operator, an operator of another domain for the
// standard one of that name.
func checkForm(m *onnx.ModelProto) error {
	if len(m.Functions) > 0 {
		return fmt.Errorf("the model has functions (%s), want it with its layers unrolled", m.Functions[0].Name)
	}
	if err := formError(m); err != nil {
		return err
	}
	for _, o := range m.OpsetImport {
		if o.Domain != "" && o.Domain != "ai.onnx" {
			return fmt.Errorf("the model uses operators of domain %q, want standard operators alone", o.Domain)
		}
	}
	if v := m.OpsetVersion(""); v < oldestOpset || v > newestOpset {
		return fmt.Errorf("the model is of opset %d, want %d to %d", v, oldestOpset, newestOpset)
	}
	for _, n := range m.Graph.Node {
		if err := checkNode(n); err != nil {
			return nodeError(n.Name, n.OpType, err)
		}
	}
	for _, t := range m.Graph.Initializer {
		if t.DataLocation == onnx.TensorProto_EXTERNAL {
			return fmt.Errorf("initializer %q lies in another file, want all in one: export the model without external data", t.Name)
		}
		if err := checkConstant(t); err != nil {
			return fmt.Errorf("initializer %q: %w", t.Name, err)
		}
	}
	return checkNames(m.Graph)
}

func nodeError(name, op string, err error) error {
	return fmt.Errorf("node %q (%s): %w", name, op, err)
}

func checkNode(n *onnx.NodeProto) error {
	if n.Domain != "" && n.Domain != "ai.onnx" {
		return fmt.Errorf("an operator of domain %q, want standard operators alone", n.Domain)
	}
	for _, a := range n.Attribute {
		switch a.Type {
		case onnx.AttributeProto_GRAPH, onnx.AttributeProto_GRAPHS:
			return fmt.Errorf("attribute %q is a graph, want the model with its layers unrolled", a.Name)
		case onnx.AttributeProto_UNDEFINED:
			return fmt.Errorf("attribute %q has no type", a.Name)
		case onnx.AttributeProto_TENSOR:
			if a.T == nil {
				return fmt.Errorf("attribute %q holds no tensor", a.Name)
			}
			if err := checkConstant(a.T); err != nil {
				return fmt.Errorf("attribute %q: %w", a.Name, err)
			}
		}
	}
	s, known := specifications[n.OpType]
	if !known {
		return fmt.Errorf("the operator is not one of %v", operatorNames())
	}
	if len(n.Input) < s.least || len(n.Input) > s.most || len(n.Output) < 1 || len(n.Output) > s.outputs {
		return fmt.Errorf("%d inputs and %d outputs, want %d to %d and 1 to %d", len(n.Input), len(n.Output), s.least, s.most, s.outputs)
	}
	for i, name := range n.Input[:s.least] {
		if name == "" {
			return fmt.Errorf("input %d is left out, and is not optional", i)
		}
	}
	if n.Output[0] == "" {
		return fmt.Errorf("the first output has no name")
	}
	return nil
}

// checkConstant refuses what onnx-go cannot decode, or decodes to something else.
func checkConstant(t *onnx.TensorProto) error {
	switch elements := onnx.TensorProto_DataType(t.DataType); elements {
	case onnx.TensorProto_FLOAT, onnx.TensorProto_INT64:
	case onnx.TensorProto_BOOL:
		if len(t.RawData) > 0 {
			return fmt.Errorf("elements of type BOOL as bytes, which onnx-go misreads")
		}
	default:
		return fmt.Errorf("elements of type %v, want FLOAT or INT64: export the model with precision fp32", elements)
	}
	if _, err := checkedSize(t.Shape(), maxElements); err != nil {
		return err
	}
	if size(t.Shape()) == 0 {
		return fmt.Errorf("shape %v has no elements, which onnx-go cannot decode", t.Shape())
	}
	return nil
}

// checkNames refuses values that are computed twice, or read before they are.
func checkNames(g *onnx.GraphProto) error {
	defined := map[string]string{}
	define := func(name, by string) error {
		if name == "" {
			return fmt.Errorf("%s has no name", by)
		}
		if earlier, there := defined[name]; there {
			return fmt.Errorf("value %q is both %s and %s", name, earlier, by)
		}
		defined[name] = by
		return nil
	}
	initialized := map[string]bool{}
	for _, t := range g.Initializer {
		if err := define(t.Name, "an initializer"); err != nil {
			return err
		}
		initialized[t.Name] = true
	}
	for _, v := range g.Input {
		if initialized[v.Name] { // a constant that a caller might replace elsewhere
			continue
		}
		if err := define(v.Name, "an input"); err != nil {
			return err
		}
	}
	for _, n := range g.Node {
		for _, name := range n.Input {
			if _, there := defined[name]; !there && name != "" {
				return nodeError(n.Name, n.OpType, fmt.Errorf("input %q is not computed before it", name))
			}
		}
		for _, name := range n.Output {
			if name == "" {
				continue
			}
			if err := define(name, fmt.Sprintf("computed by node %q", n.Name)); err != nil {
				return err
			}
		}
	}
	seen := map[string]bool{}
	for _, v := range g.Output {
		if _, there := defined[v.Name]; !there || seen[v.Name] {
			return fmt.Errorf("output %q is not computed, or is there twice", v.Name)
		}
		seen[v.Name] = true
	}
	return nil
}

// decodable returns the bytes of m without the shapes that it declares. onnx-go allocates a tensor for each of them,
// as large as the file claims, and takes nothing from it that is needed here.
func decodable(m *onnx.ModelProto) ([]byte, error) {
	bare := func(declared []*onnx.ValueInfoProto) (names []*onnx.ValueInfoProto) {
		for _, v := range declared {
			names = append(names, &onnx.ValueInfoProto{Name: v.Name})
		}
		return names
	}
	return proto.Marshal(&onnx.ModelProto{
		IrVersion:   m.IrVersion,
		OpsetImport: m.OpsetImport,
		Graph: &onnx.GraphProto{
			Name:        m.Graph.Name,
			Node:        m.Graph.Node,
			Initializer: m.Graph.Initializer,
			Input:       bare(m.Graph.Input),
			Output:      bare(m.Graph.Output),
		},
	})
}
