package gonnx

import (
	"context"
	"fmt"
	"slices"

	"goalbert/onnx"
)

// maxElements bounds a tensor: a file may ask for any size, and 2²⁹ elements are the logits of 33 sequences of 512
// tokens over 30,000 pieces.
const maxElements = 1 << 29

// step is one operator of a program. Values are numbered; -1 is one that is left out.
type step struct {
	name, op        string
	apply           operator
	inputs, outputs []int
	last            []int // values that nothing reads afterwards
}

// program is a decoded model. It is never changed, so that it may be evaluated many times at the same time.
type program struct {
	inputs, outputs []int // values, in the order of inputNames and outputNames
	inputNames      []string
	outputNames     []string
	constants       map[int]tensor
	values          int // how many
	steps           []step
	limit           int // of elements in a tensor
}

// newProgram returns m as a program, or says why it cannot be run here.
func newProgram(m *onnx.ModelProto) (*program, error) {
	if err := checkForm(m); err != nil {
		return nil, err
	}
	b, model, err := decode(m)
	if err != nil {
		return nil, err
	}
	p := &program{constants: map[int]tensor{}, values: len(b.values), steps: b.steps, limit: maxElements}
	for _, t := range m.Graph.Initializer {
		n, ok := model.GetNodeByName(t.Name)
		if !ok || n.(*value).constant == nil {
			return nil, fmt.Errorf("onnx-go did not find initializer %q", t.Name)
		}
		c, err := fromGorgonia(n.(*value).constant)
		if err != nil {
			return nil, fmt.Errorf("initializer %q: %w", t.Name, err)
		}
		if !slices.Equal(c.shape, t.Shape()) {
			return nil, fmt.Errorf("initializer %q: onnx-go decoded shape %v, the file has %v", t.Name, c.shape, t.Shape())
		}
		p.constants[slot(n)] = c
	}
	for _, v := range m.Graph.Input {
		n, _ := model.GetNodeByName(v.Name)
		if _, constant := p.constants[slot(n)]; !constant {
			p.inputs, p.inputNames = append(p.inputs, slot(n)), append(p.inputNames, v.Name)
		}
	}
	for _, v := range m.Graph.Output {
		n, _ := model.GetNodeByName(v.Name)
		p.outputs, p.outputNames = append(p.outputs, slot(n)), append(p.outputNames, v.Name)
	}
	p.findLastUses()
	return p, nil
}

// findLastUses tells each step which values it is the last to read or, where nobody reads them, to compute.
func (p *program) findLastUses() {
	seen := make([]bool, p.values)
	for _, v := range p.outputs {
		seen[v] = true
	}
	for i := range slices.Backward(p.steps) {
		s := &p.steps[i]
		for _, v := range slices.Concat(s.inputs, s.outputs) {
			if v >= 0 && !seen[v] {
				seen[v] = true
				s.last = append(s.last, v)
			}
		}
	}
}

// evaluate computes the outputs. They lie in memory's buffers; the caller says what becomes of those.
func (p *program) evaluate(ctx context.Context, r *run, inputs []tensor) ([]tensor, error) {
	values := make([]tensor, p.values)
	for v, t := range p.constants {
		values[v] = t
	}
	for i, t := range inputs {
		values[p.inputs[i]] = t
	}
	for i := range p.steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s := &p.steps[i]
		if err := s.evaluate(r, values); err != nil {
			return nil, nodeError(s.name, s.op, err)
		}
	}
	outputs := make([]tensor, len(p.outputs))
	for i, v := range p.outputs {
		outputs[i] = values[v]
	}
	return outputs, nil
}

func (s *step) evaluate(r *run, values []tensor) (err error) {
	in := make([]tensor, len(s.inputs))
	for i, v := range s.inputs {
		if v >= 0 {
			in[i] = values[v]
			in[i].dying = slices.Contains(s.last, v)
		}
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("inputs of shapes %v: %v", shapes(in), p)
		}
	}()
	out, err := s.apply(r, in)
	if err != nil {
		return err
	}
	for i, t := range out {
		if i < len(s.outputs) && s.outputs[i] >= 0 {
			values[s.outputs[i]] = t
		} else {
			r.release(t)
		}
	}
	for _, v := range s.last {
		r.release(values[v])
		values[v] = tensor{}
	}
	return nil
}

func shapes(list []tensor) (all [][]int) {
	for _, t := range list {
		all = append(all, t.shape)
	}
	return all
}
