package onnx

import (
	"fmt"
	"maps"
	"slices"
)

// Check reports the first thing that is wrong with a model of standard operators and some of ONNX Runtime's, loops over
// them, and functions made of standard ones: names that are missing, doubled or unknown, nodes before what they read, operators with too many or too few
// inputs or with attributes that they do not have, tensors whose data do not fit their shape, constants that nothing
// reads.
//
// It is stricter than ONNX's own checker on what it knows, and refuses, as an UnsupportedError, what it does not:
// operators outside [Operators] and those of [Microsoft], other domains, functions that call functions, subgraphs of other operators than Loop.
func Check(m *ModelProto) error {
	if m.Graph == nil {
		return FormatError("the model has no graph")
	}
	if m.IrVersion < 3 || m.OpsetVersion("") == 0 {
		return FormatError(fmt.Sprintf("IR version %d and standard operators of version %d, want both", m.IrVersion, m.OpsetVersion("")))
	}
	c := newChecker(m)
	for _, f := range m.Functions {
		if err := c.function(f, m); err != nil {
			return err
		}
	}
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
	model     *ModelProto
	defined   map[string]bool // values so far
	order     []string        // the same, the newest last
	used      map[string]bool
	nodes     map[string]bool           // names
	functions map[string]*FunctionProto // by domain and name
}

func newChecker(m *ModelProto) *checker {
	return &checker{m, map[string]bool{}, nil, map[string]bool{}, map[string]bool{}, map[string]*FunctionProto{}}
}

func functionKey(domain, name string) string { return domain + "\x00" + name }

// function checks the function alone: it sees nothing but its inputs.
func (c *checker) function(f *FunctionProto, m *ModelProto) error {
	key := functionKey(f.Domain, f.Name)
	taken := operatorsOf(f.Domain) != nil
	if f.Name == "" || taken || c.functions[key] != nil {
		return FormatError(fmt.Sprintf("function %q of domain %q: want a name, a domain of its own, and one of each name", f.Name, f.Domain))
	}
	if m.OpsetVersion(f.Domain) == 0 {
		return FormatError(fmt.Sprintf("function %s: the model does not import its domain %q", f.Name, f.Domain))
	}
	if len(f.OpsetImport) != 1 || f.OpsetImport[0].Version != m.OpsetVersion("") || len(f.Attribute) > 0 {
		return UnsupportedError(fmt.Sprintf("function %s: it has attributes, or other operators than the model's standard ones", f.Name))
	}
	body := newChecker(m)
	for _, name := range f.Input {
		if err := body.define(name, "input of function "+f.Name); err != nil {
			return err
		}
	}
	for _, n := range f.Node {
		if err := body.node(n); err != nil {
			return fmt.Errorf("function %s: %w", f.Name, err)
		}
	}
	for _, name := range f.Output {
		if !body.defined[name] {
			return FormatError(fmt.Sprintf("function %s: output %q is not computed", f.Name, name))
		}
	}
	c.functions[key] = f
	return nil
}

// call checks a node that calls a function.
func (c *checker) call(n *NodeProto, f *FunctionProto) error {
	if len(n.Input) != len(f.Input) || len(n.Output) != len(f.Output) || len(n.Attribute) > 0 {
		return FormatError(fmt.Sprintf("node %s: %d inputs, %d outputs and %d attributes for function %s, want %d, %d and none",
			n.Name, len(n.Input), len(n.Output), len(n.Attribute), f.Name, len(f.Input), len(f.Output)))
	}
	return nil
}

// loop checks the body of a Loop. It sees the values around it, which it may not name anew, and what it defines ends
// with it.
func (c *checker) loop(n *NodeProto) error {
	body := n.Attribute[0].G
	if body == nil || len(body.Initializer) > 0 {
		return UnsupportedError(fmt.Sprintf("node %s: its body is missing, or has initializers", n.Name))
	}
	carried := len(n.Input) - 2 // what the body has beyond these is collected over the iterations
	if len(body.Input) != 2+carried || len(body.Output) < 1+carried || len(n.Output) != len(body.Output)-1 {
		return FormatError(fmt.Sprintf("node %s: a Loop that carries %d values, with a body of %d inputs and %d outputs and %d outputs of its own",
			n.Name, carried, len(body.Input), len(body.Output), len(n.Output)))
	}
	outside := len(c.order)
	defer func() {
		for _, name := range c.order[outside:] {
			delete(c.defined, name)
		}
		c.order = c.order[:outside]
	}()
	if err := c.constants(body); err != nil {
		return fmt.Errorf("body of %s: %w", n.Name, err)
	}
	for _, inner := range body.Node {
		if err := c.node(inner); err != nil {
			return fmt.Errorf("body of %s: %w", n.Name, err)
		}
	}
	return c.end(body)
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
	c.order = append(c.order, name)
	return nil
}

func (c *checker) node(n *NodeProto) error {
	if n.Name != "" && c.nodes[n.Name] {
		return FormatError(fmt.Sprintf("node %s of operator %s: there is a node of that name already", n.Name, n.OpType))
	}
	c.nodes[n.Name] = true
	least := len(n.Input) // inputs that may not be left out
	if f := c.functions[functionKey(n.Domain, n.OpType)]; f != nil {
		if err := c.call(n, f); err != nil {
			return err
		}
	} else {
		op, known := operatorsOf(n.Domain)[n.OpType]
		if !known {
			return UnsupportedError(fmt.Sprintf("node %s: operator %s of domain %q is not one of %v, or of %v of domain %s",
				n.Name, n.OpType, n.Domain, Operators(), slices.Sorted(maps.Keys(microsoft)), Microsoft))
		}
		if c.model.OpsetVersion(n.Domain) == 0 {
			return FormatError(fmt.Sprintf("node %s: the model does not import the domain %q of its operator %s", n.Name, n.Domain, n.OpType))
		}
		if len(n.Input) < op.inputs[0] || len(n.Input) > op.inputs[1] || len(n.Output) < 1 || len(n.Output) > op.outputs {
			return FormatError(fmt.Sprintf("node %s: %s has %d inputs and %d outputs, want %d to %d and 1 to %d",
				n.Name, n.OpType, len(n.Input), len(n.Output), op.inputs[0], op.inputs[1], op.outputs))
		}
		if err := op.check(n); err != nil {
			return err
		}
		least = op.inputs[0]
		if n.OpType == "Loop" {
			least = 0
			if err := c.loop(n); err != nil {
				return err
			}
		}
	}
	for i, name := range n.Input {
		if name == "" && i >= least {
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
	for _, name := range required[n.OpType] {
		if !slices.Contains(seen, name) {
			return FormatError(fmt.Sprintf("node %s: %s lacks its attribute %s", n.Name, n.OpType, name))
		}
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
