package onnx

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// WriteText writes m for people to read: versions, metadata, inputs, outputs, constants, nodes.
func WriteText(w io.Writer, m *ModelProto) error {
	var b strings.Builder
	fmt.Fprintf(&b, "ir version %d", m.IrVersion)
	for _, o := range m.OpsetImport {
		domain := o.Domain
		if domain == "" {
			domain = "ai.onnx"
		}
		fmt.Fprintf(&b, ", %s %d", domain, o.Version)
	}
	fmt.Fprintf(&b, ", by %s %s\n", m.ProducerName, m.ProducerVersion)
	for _, p := range m.MetadataProps {
		fmt.Fprintf(&b, "%s: %s\n", p.Key, p.Value)
	}
	g := m.Graph
	for _, v := range g.Input {
		fmt.Fprintf(&b, "input  %s\n", v.text())
	}
	for _, v := range g.Output {
		fmt.Fprintf(&b, "output %s\n", v.text())
	}
	bytes := int64(0)
	fmt.Fprintf(&b, "\n%d initializers\n", len(g.Initializer))
	for _, t := range g.Initializer {
		fmt.Fprintf(&b, "  %s %v %v%s\n", t.Name, TensorProto_DataType(t.DataType), t.Dims, t.elsewhere())
		bytes += t.dataSize()
	}
	fmt.Fprintf(&b, "  %d bytes in all\n\n%d nodes: %s\n", bytes, len(g.Node), g.operatorCounts())
	writeNodes(&b, "  ", g.Node)
	for _, f := range m.Functions {
		fmt.Fprintf(&b, "\nfunction %s.%s(%s) = %s\n", f.Domain, f.Name, strings.Join(f.Input, ", "), strings.Join(f.Output, ", "))
		writeNodes(&b, "  ", f.Node)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// elsewhere names the file that t's data lie in, if that is another.
func (t *TensorProto) elsewhere() string {
	for _, e := range t.ExternalData {
		if e.Key == "location" && t.DataLocation == TensorProto_EXTERNAL {
			return " in " + e.Value
		}
	}
	return ""
}

// writeNodes writes a node a line, and below one with a subgraph the subgraph's inputs, nodes and outputs.
func writeNodes(b *strings.Builder, indent string, nodes []*NodeProto) {
	for _, n := range nodes {
		fmt.Fprintf(b, "%s%s\n", indent, n.text())
		for _, a := range n.Attribute {
			if a.G == nil {
				continue
			}
			for _, v := range a.G.Input {
				fmt.Fprintf(b, "%s  input  %s\n", indent, v.text())
			}
			writeNodes(b, indent+"  ", a.G.Node)
			for _, v := range a.G.Output {
				fmt.Fprintf(b, "%s  output %s\n", indent, v.text())
			}
		}
	}
}

// text writes a value as "input_ids INT64 [batch sequence]".
func (v *ValueInfoProto) text() string {
	t := v.GetType().GetTensorType()
	var dims []string
	for _, d := range t.GetShape().GetDim() {
		if name := d.GetDimParam(); name != "" {
			dims = append(dims, name)
		} else {
			dims = append(dims, fmt.Sprint(d.GetDimValue()))
		}
	}
	return fmt.Sprintf("%s %v [%s]", v.Name, TensorProto_DataType(t.GetElemType()), strings.Join(dims, " "))
}

// operatorCounts writes how often each operator occurs: "Add 12, Gemm 8".
func (g *GraphProto) operatorCounts() string {
	counts := map[string]int{}
	for _, n := range g.Node {
		counts[n.OpType]++
	}
	var list []string
	for op, count := range counts {
		list = append(list, fmt.Sprintf("%s %d", op, count))
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

// text writes a node as "outputs = Operator(inputs) attribute=value".
func (n *NodeProto) text() string {
	op := n.OpType
	if n.Domain != "" {
		op = n.Domain + "." + op
	}
	text := fmt.Sprintf("%s = %s(%s)", strings.Join(n.Output, ", "), op, strings.Join(n.Input, ", "))
	for _, a := range n.Attribute {
		text += " " + a.Name + "=" + a.text()
	}
	return text
}

func (a *AttributeProto) text() string {
	switch a.Type {
	case AttributeProto_INT:
		return fmt.Sprint(a.I)
	case AttributeProto_INTS:
		return fmt.Sprint(a.Ints)
	case AttributeProto_FLOAT:
		return fmt.Sprint(a.F)
	case AttributeProto_STRING:
		return fmt.Sprintf("%q", a.S)
	}
	return a.Type.String()
}
