package gonnx

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	onnxgo "github.com/owulveryck/onnx-go"
	"gonum.org/v1/gonum/graph"
	"gonum.org/v1/gonum/graph/iterator"
	gorgonia "gorgonia.org/tensor"

	"goalbert/onnx"
)

// value is a node of onnx-go's graph: an input, a constant, or what an operator computes. The one named "" stands for
// every optional input that is left out, and for every output that nobody wants.
type value struct {
	id       int64
	name     string
	constant gorgonia.Tensor // nil for what is no constant
}

func (v *value) ID() int64                         { return v.id }
func (v *value) SetName(name string)               { v.name = name }
func (v *value) GetName() string                   { return v.name }
func (v *value) SetTensor(t gorgonia.Tensor) error { v.constant = t; return nil }
func (v *value) GetTensor() gorgonia.Tensor        { return v.constant }

// edge leads from an output to an input of its operator; its weight is the input's place.
type edge struct {
	from, to *value
	weight   float64
}

func (e edge) From() graph.Node         { return e.from }
func (e edge) To() graph.Node           { return e.to }
func (e edge) Weight() float64          { return e.weight }
func (e edge) ReversedEdge() graph.Edge { return edge{from: e.to, to: e.from, weight: e.weight} }

// backend is what onnx-go's decoder builds. It is a multigraph: Mul(x, x) has two edges to x.
type backend struct {
	values []*value
	edges  map[int64][]edge // by the output they lead from
	nodes  []*onnx.NodeProto
	opset  int64
	steps  []step
}

var _ onnxgo.Backend = (*backend)(nil)

// decode has onnx-go read a model.
func decode(m *onnx.ModelProto) (b *backend, model *onnxgo.Model, err error) {
	data, err := decodable(m)
	if err != nil {
		return nil, nil, err
	}
	b = &backend{edges: map[int64][]edge{}, nodes: m.Graph.Node, opset: m.OpsetVersion("")}
	model = onnxgo.NewModel(b)
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("onnx-go cannot decode the model: %v", r)
		}
	}()
	if err := model.UnmarshalBinary(data); err != nil {
		return nil, nil, err
	}
	return b, model, nil
}

// ApplyOperation makes a step of the program. Operators come in the file's order.
func (b *backend) ApplyOperation(o onnxgo.Operation, outputs ...graph.Node) error {
	if len(b.steps) >= len(b.nodes) || b.nodes[len(b.steps)].OpType != o.Name || len(outputs) == 0 {
		return errors.New("onnx-go and our own reader do not agree on the order of nodes")
	}
	node := b.nodes[len(b.steps)]
	apply, err := buildOperator(o.Name, &nodeAttributes{opset: b.opset, outputs: len(outputs), values: o.Attributes})
	if err != nil {
		return nodeError(node.Name, o.Name, err)
	}
	s := step{name: node.Name, op: o.Name, apply: apply}
	for _, n := range outputs {
		s.outputs = append(s.outputs, slot(n))
	}
	if len(node.Input) > 0 { // onnx-go gives the others an input of its own invention
		arguments := b.edges[outputs[0].ID()]
		slices.SortStableFunc(arguments, func(x, y edge) int { return cmp.Compare(x.weight, y.weight) })
		for _, e := range arguments {
			s.inputs = append(s.inputs, slot(e.to))
		}
	}
	if len(s.inputs) != len(node.Input) {
		return nodeError(node.Name, o.Name, fmt.Errorf("onnx-go found %d inputs, the file has %d", len(s.inputs), len(node.Input)))
	}
	b.steps = append(b.steps, s)
	return nil
}

// slot returns where a program keeps a value, -1 for what is left out.
func slot(n graph.Node) int {
	if v := n.(*value); v.name != "" {
		return int(v.id)
	}
	return -1
}

// NewNode returns a value that is not in the graph yet.
func (b *backend) NewNode() graph.Node { return &value{id: int64(len(b.values))} }

// AddNode adds a value.
func (b *backend) AddNode(n graph.Node) { b.values = append(b.values, n.(*value)) }

// NewWeightedEdge returns an edge that is not in the graph yet.
func (b *backend) NewWeightedEdge(from, to graph.Node, weight float64) graph.WeightedEdge {
	return edge{from: from.(*value), to: to.(*value), weight: weight}
}

// SetWeightedEdge adds an edge, beside those that are there.
func (b *backend) SetWeightedEdge(e graph.WeightedEdge) {
	b.edges[e.From().ID()] = append(b.edges[e.From().ID()], e.(edge))
}

// Node returns the value of that number.
func (b *backend) Node(id int64) graph.Node {
	if id < 0 || id >= int64(len(b.values)) {
		return nil
	}
	return b.values[id]
}

// Nodes returns all values.
func (b *backend) Nodes() graph.Nodes {
	var all []graph.Node
	for _, v := range b.values {
		all = append(all, v)
	}
	return iterator.NewOrderedNodes(all)
}

// From returns the inputs of what computes a value.
func (b *backend) From(id int64) graph.Nodes {
	return b.ends(func(e edge) (graph.Node, bool) { return e.to, e.from.id == id })
}

// To returns what is computed from a value.
func (b *backend) To(id int64) graph.Nodes {
	return b.ends(func(e edge) (graph.Node, bool) { return e.from, e.to.id == id })
}

// ends returns the ends of those edges that match, each once.
func (b *backend) ends(match func(edge) (graph.Node, bool)) graph.Nodes {
	var found []graph.Node
	for _, v := range b.values {
		for _, e := range b.edges[v.id] {
			if n, ok := match(e); ok && !slices.Contains(found, n) {
				found = append(found, n)
			}
		}
	}
	return iterator.NewOrderedNodes(found)
}

// HasEdgeBetween reports whether there is an edge in either direction.
func (b *backend) HasEdgeBetween(x, y int64) bool {
	return b.HasEdgeFromTo(x, y) || b.HasEdgeFromTo(y, x)
}

// HasEdgeFromTo reports whether y is an input of what computes x.
func (b *backend) HasEdgeFromTo(x, y int64) bool { return b.WeightedEdge(x, y) != nil }

// Edge returns the first edge from x to y, nil without one.
func (b *backend) Edge(x, y int64) graph.Edge {
	if e := b.WeightedEdge(x, y); e != nil {
		return e
	}
	return nil
}

// WeightedEdge is Edge.
func (b *backend) WeightedEdge(x, y int64) graph.WeightedEdge {
	for _, e := range b.edges[x] {
		if e.to.id == y {
			return e
		}
	}
	return nil
}

// Weight returns the weight of the first edge from x to y, and whether there is one.
func (b *backend) Weight(x, y int64) (float64, bool) {
	if e := b.WeightedEdge(x, y); e != nil {
		return e.Weight(), true
	}
	return 0, false
}
