package gonnx

import (
	"cmp"
	"fmt"
	"slices"

	onnxgo "github.com/owulveryck/onnx-go"
	"gonum.org/v1/gonum/graph"
	"gonum.org/v1/gonum/graph/simple"
	"gorgonia.org/tensor"
)

// value is a node of onnx-go's graph: a tensor by its name, which operators read and compute.
type value struct {
	id       int64
	name     string
	constant tensor.Tensor // nil unless it is an initializer; inputs and outputs carry a placeholder too
}

func (v *value) ID() int64                       { return v.id }
func (v *value) SetName(name string)             { v.name = name }
func (v *value) GetName() string                 { return v.name }
func (v *value) GetTensor() tensor.Tensor        { return v.constant }
func (v *value) SetTensor(t tensor.Tensor) error { v.constant = t; return nil }

var (
	_ onnxgo.Namer       = (*value)(nil)
	_ onnxgo.DataCarrier = (*value)(nil)
)

// operation is an operator at its place.
type operation struct {
	kind       string
	attributes map[string]any
	inputs     []string // an empty name is an input that is left out
	outputs    []string
}

// backend receives a model from onnx-go: its values, and its operations in the order of the file.
//
// onnx-go tells of each input by an edge from every output to it, with the input's position as the weight. An operation
// may read the same value twice, so the edges are kept as lists; gonum's simple graph, which is here for the methods of
// the interface that onnx-go never calls, would keep one of them.
type backend struct {
	*simple.WeightedDirectedGraph
	values     map[string]*value
	edges      map[int64][]graph.WeightedEdge // by the output that they start from
	operations []operation
}

var _ onnxgo.Backend = (*backend)(nil)

func newBackend() *backend {
	return &backend{
		WeightedDirectedGraph: simple.NewWeightedDirectedGraph(0, 0),
		values:                map[string]*value{},
		edges:                 map[int64][]graph.WeightedEdge{},
	}
}

// NewNode returns a value that is not in the graph yet.
func (b *backend) NewNode() graph.Node { return &value{id: b.WeightedDirectedGraph.NewNode().ID()} }

// AddNode adds a value, which has its name by then.
func (b *backend) AddNode(n graph.Node) {
	b.WeightedDirectedGraph.AddNode(n)
	if v, ok := n.(*value); ok {
		b.values[v.name] = v
	}
}

// SetWeightedEdge notes an input of the operation whose output the edge starts from.
func (b *backend) SetWeightedEdge(e graph.WeightedEdge) {
	b.edges[e.From().ID()] = append(b.edges[e.From().ID()], e)
}

// ApplyOperation adds an operation with these outputs; its edges are there by then.
func (b *backend) ApplyOperation(o onnxgo.Operation, outputs ...graph.Node) error {
	op := operation{kind: o.Name, attributes: o.Attributes}
	for _, n := range outputs {
		v, ok := n.(*value)
		if !ok {
			return fmt.Errorf("output of %s is a %T", o.Name, n)
		}
		op.outputs = append(op.outputs, v.name)
	}
	edges := b.edges[outputs[0].ID()]
	slices.SortStableFunc(edges, func(x, y graph.WeightedEdge) int { return cmp.Compare(x.Weight(), y.Weight()) })
	for _, e := range edges {
		op.inputs = append(op.inputs, e.To().(*value).name)
	}
	b.operations = append(b.operations, op)
	return nil
}

// integer returns an attribute that is a whole number.
func (o *operation) integer(name string, absent int64) int64 {
	if v, ok := o.attributes[name].(int64); ok {
		return v
	}
	return absent
}

// number returns an attribute that is a float.
func (o *operation) number(name string, absent float32) float32 {
	if v, ok := o.attributes[name].(float32); ok {
		return v
	}
	return absent
}

// integers returns an attribute that is a list of whole numbers, nil without it.
func (o *operation) integers(name string) []int64 {
	v, _ := o.attributes[name].([]int64)
	return v
}
