package onnx

import "io"

// IRVersion of the models that are built: the first with functions, which every ONNX Runtime from 1.14 on reads.
const IRVersion = 8

// Builder makes a graph, node by node. Values are known by their names; a node's output has the node's name. The
// builder does not check: that is Check's.
type Builder struct {
	graph     GraphProto
	functions []*FunctionProto
	payloads  Payloads
}

// NewBuilder returns a builder of an empty graph.
func NewBuilder(name string) *Builder { return &Builder{graph: GraphProto{Name: name}} }

// Input adds an input of the graph and returns its name. A dimension is a number, or the name of one that varies.
func (b *Builder) Input(name string, elements TensorProto_DataType, dims ...any) string {
	b.graph.Input = append(b.graph.Input, valueInfo(name, elements, dims))
	return name
}

// Output declares a value of that name to be an output of the graph.
func (b *Builder) Output(name string, elements TensorProto_DataType, dims ...any) {
	b.graph.Output = append(b.graph.Output, valueInfo(name, elements, dims))
}

func valueInfo(name string, elements TensorProto_DataType, dims []any) *ValueInfoProto {
	shape := &TensorShapeProto{}
	for _, d := range dims {
		dimension := &TensorShapeProto_Dimension{}
		switch d := d.(type) {
		case int:
			dimension.Value = &TensorShapeProto_Dimension_DimValue{DimValue: int64(d)}
		case string:
			dimension.Value = &TensorShapeProto_Dimension_DimParam{DimParam: d}
		default:
			panic("onnx: a dimension must be an int or a string")
		}
		shape.Dim = append(shape.Dim, dimension)
	}
	tensor := &TypeProto_Tensor{ElemType: int32(elements), Shape: shape}
	return &ValueInfoProto{Name: name, Type: &TypeProto{Value: &TypeProto_TensorType{TensorType: tensor}}}
}

// Initializer adds a constant tensor and returns its name.
func (b *Builder) Initializer(t *TensorProto) string {
	b.graph.Initializer = append(b.graph.Initializer, t)
	return t.Name
}

// Defer adds a constant tensor whose data are written by that function, and returns its name.
func (b *Builder) Defer(t *TensorProto, write func(io.Writer) error) string {
	if b.payloads == nil {
		b.payloads = Payloads{}
	}
	b.payloads[t.Name] = write
	return b.Initializer(t)
}

// Payloads returns what makes the data of the tensors that were deferred.
func (b *Builder) Payloads() Payloads { return b.payloads }

// Node adds an operator of the standard domain and returns the name of its only output, which is the node's.
func (b *Builder) Node(op, name string, inputs []string, attributes ...*AttributeProto) string {
	return b.NodeOf("", op, name, inputs, attributes...)
}

// NodeOf adds an operator of another domain, whose version 1 the model then imports, and returns the name of its only
// output, which is the node's.
func (b *Builder) NodeOf(domain, op, name string, inputs []string, attributes ...*AttributeProto) string {
	b.graph.Node = append(b.graph.Node, &NodeProto{
		Name: name, OpType: op, Domain: domain, Input: inputs, Output: []string{name}, Attribute: attributes,
	})
	return name
}

// Outputs adds a node of the standard domain that has these outputs.
func (b *Builder) Outputs(op, name string, inputs, outputs []string, attributes ...*AttributeProto) {
	b.graph.Node = append(b.graph.Node, &NodeProto{
		Name: name, OpType: op, Input: inputs, Output: outputs, Attribute: attributes,
	})
}

// Call adds a node that calls f and returns the names of its outputs: the first is the node's, and each other begins with
// it.
func (b *Builder) Call(f *FunctionProto, name string, inputs []string) []string {
	outputs := []string{name}
	for _, value := range f.Output[1:] {
		outputs = append(outputs, name+"."+value)
	}
	b.graph.Node = append(b.graph.Node, &NodeProto{
		Name: name, OpType: f.Name, Domain: f.Domain, Input: inputs, Output: outputs,
	})
	return outputs
}

// Function takes the nodes of body as a function of what they read and do not compute, in the order in which they read
// it, and adds it to the model. Its outputs, at least one, are those values of body.
func (b *Builder) Function(domain, name string, opset int64, body *Builder, outputs ...string) *FunctionProto {
	f := &FunctionProto{
		Name: name, Domain: domain, Node: body.graph.Node, Output: outputs,
		OpsetImport: []*OperatorSetIdProto{{Version: opset}},
	}
	known := map[string]bool{}
	for _, n := range f.Node {
		for _, input := range n.Input {
			if !known[input] {
				known[input] = true
				f.Input = append(f.Input, input)
			}
		}
		for _, value := range n.Output {
			known[value] = true
		}
	}
	b.functions = append(b.functions, f)
	return f
}

// Graph returns what was built as the subgraph of an attribute of a node in another graph, whose values it may read.
func (b *Builder) Graph(attribute string) *AttributeProto {
	return &AttributeProto{Name: attribute, Type: AttributeProto_GRAPH, G: &b.graph}
}

// Model returns the graph as a model that imports that version of the standard operators, and version 1 of every other
// domain of its nodes and functions.
func (b *Builder) Model(opset int64) *ModelProto {
	m := &ModelProto{
		IrVersion:   IRVersion,
		Graph:       &b.graph,
		OpsetImport: []*OperatorSetIdProto{{Version: opset}},
		Functions:   b.functions,
	}
	for _, f := range b.functions {
		m.importDomain(f.Domain)
	}
	m.importDomains(b.graph.Node)
	return m
}

// importDomains imports the domains of nodes, and of those in their subgraphs.
func (m *ModelProto) importDomains(nodes []*NodeProto) {
	for _, n := range nodes {
		m.importDomain(n.Domain)
		for _, a := range n.Attribute {
			m.importDomains(a.GetG().GetNode())
		}
	}
}

func (m *ModelProto) importDomain(domain string) {
	if m.OpsetVersion(domain) == 0 {
		m.OpsetImport = append(m.OpsetImport, &OperatorSetIdProto{Domain: domain, Version: 1})
	}
}

// Int returns an attribute that is a whole number.
func Int(name string, value int64) *AttributeProto {
	return &AttributeProto{Name: name, Type: AttributeProto_INT, I: value}
}

// Ints returns an attribute that is a list of whole numbers.
func Ints(name string, values ...int64) *AttributeProto {
	return &AttributeProto{Name: name, Type: AttributeProto_INTS, Ints: values}
}

// Float returns an attribute that is a number.
func Float(name string, value float32) *AttributeProto {
	return &AttributeProto{Name: name, Type: AttributeProto_FLOAT, F: value}
}
