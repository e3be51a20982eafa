package onnx

import (
	"fmt"
	"slices"
)

// Check reports the first thing that is wrong with a model of standard operators: names that are missing, doubled or
// unknown, nodes before what they read, operators with too many or too few inputs or with attributes that they do not
// have, tensors whose data do not fit their shape, constants that nothing reads.
//
// It is stricter than ONNX's own checker on what it knows, and refuses, as an UnsupportedError, what it does not:
// operators outside [Operators], other domains, functions, subgraphs.
func Check(m *ModelProto) error {
	if m.Graph == nil {
		return FormatError("the model has no graph")
	}
	if m.IrVersion < 3 || m.OpsetVersion("") == 0 {
		return FormatError(fmt.Sprintf("IR version %d and standard operators of version %d, want both", m.IrVersion, m.OpsetVersion("")))
	}
	if len(m.Functions) > 0 {
		return UnsupportedError(fmt.Sprintf("the model has functions, %s first", m.Functions[0].Name))
	}
	c := checker{defined: map[string]bool{}, used: map[string]bool{}, nodes: map[string]bool{}}
	if err := c.constants(m.Graph); err != nil {
		return err
	}
	for _, n := range m.Graph.Node {
		if err := c.node(n); err != nil {
			return err
		}
	}
	return c.end(m.Graph)
}

// checker walks a graph in the order of its nodes.
type checker struct {
	defined map[string]bool // values so far
	used    map[string]bool
	nodes   map[string]bool // names
}

func (c *checker) constants(g *GraphProto) error {
	if g.Name == "" {
		return FormatError("the graph has no name")
	}
	for _, v := range g.Input {
		if err := c.define(v.Name, "input"); err != nil {
			return err
		}
	}
	for _, t := range g.Initializer {
		if err := c.define(t.Name, "initializer"); err != nil {
			return err
		}
		if err := t.check(); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) define(name, what string) error {
	if name == "" {
		return FormatError(what + " without a name")
	}
	if c.defined[name] {
		return FormatError(fmt.Sprintf("%s %s: there is a value of that name already", what, name))
	}
	c.defined[name] = true
	return nil
}

func (c *checker) node(n *NodeProto) error {
	if n.Name != "" && c.nodes[n.Name] {
		return FormatError(fmt.Sprintf("node %s of operator %s: there is a node of that name already", n.Name, n.OpType))
	}
	c.nodes[n.Name] = true
	op, known := operators[n.OpType]
	if !known || n.Domain != "" && n.Domain != "ai.onnx" {
		return UnsupportedError(fmt.Sprintf("node %s: operator %s of domain %q is not one of %v", n.Name, n.OpType, n.Domain, Operators()))
	}
	if len(n.Input) < op.inputs[0] || len(n.Input) > op.inputs[1] || len(n.Output) < 1 || len(n.Output) > op.outputs {
		return FormatError(fmt.Sprintf("node %s: %s has %d inputs and %d outputs, want %d to %d and 1 to %d",
			n.Name, n.OpType, len(n.Input), len(n.Output), op.inputs[0], op.inputs[1], op.outputs))
	}
	if err := op.check(n); err != nil {
		return err
	}
	for i, name := range n.Input {
		if name == "" && i >= op.inputs[0] {
			continue // an optional one that is left out
		}
		if !c.defined[name] {
			return FormatError(fmt.Sprintf("node %s: input %q is not computed before it", n.Name, name))
		}
		c.used[name] = true
	}
	for _, name := range n.Output {
		if err := c.define(name, "output of node "+n.Name); err != nil {
			return err
		}
	}
	return nil
}

// check compares a node's attributes with the operator's.
func (op operator) check(n *NodeProto) error {
	var seen []string
	for _, a := range n.Attribute {
		want, known := op.attributes[a.Name]
		if !known || slices.Contains(seen, a.Name) {
			return FormatError(fmt.Sprintf("node %s: %s has no attribute %s, or has it twice", n.Name, n.OpType, a.Name))
		}
		if a.Type != want {
			return FormatError(fmt.Sprintf("node %s: attribute %s is of type %v, want %v", n.Name, a.Name, a.Type, want))
		}
		seen = append(seen, a.Name)
	}
	if name := required[n.OpType]; name != "" && !slices.Contains(seen, name) {
		return FormatError(fmt.Sprintf("node %s: %s lacks its attribute %s", n.Name, n.OpType, name))
	}
	return nil
}

func (c *checker) end(g *GraphProto) error {
	if len(g.Output) == 0 {
		return FormatError("the graph has no output")
	}
	for _, v := range g.Output {
		if !c.defined[v.Name] {
			return FormatError(fmt.Sprintf("output %q is not computed", v.Name))
		}
		c.used[v.Name] = true
	}
	for _, t := range g.Initializer {
		if !c.used[t.Name] {
			return FormatError(fmt.Sprintf("initializer %s is not used", t.Name))
		}
	}
	return nil
}
