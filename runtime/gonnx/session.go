package gonnx

import (
	"context"
	"fmt"
	"os"
	"slices"

	onnxgo "github.com/owulveryck/onnx-go"

	"goalbert/onnx"
	"goalbert/runtime"
)

// Options of a session.
type Options struct {
	Threads int // at least one is used
}

// Session is a model in pure Go. It implements [runtime.Session] and is safe for concurrent use.
type Session struct {
	path            string
	threads         int
	inputs, outputs []string
	elements        map[string]onnx.TensorProto_DataType // of the inputs
	ranks           map[string]int                       // of the inputs
	constants       map[string]*array
	operations      []operation
	lastUse         map[string]int // of each value: the operation after which it is not needed
}

var _ runtime.Session = (*Session)(nil)

// opset is the version of the standard operators that are implemented.
const opset = 18

// Open loads the .onnx file at path: a graph of the standard operators of opset 18, on float32 and int64.
func Open(path string, o Options) (*Session, error) {
	m, err := onnx.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if err := check(m); err != nil {
		return nil, fmt.Errorf("gonnx: open %s: %w; run it in ONNX Runtime", path, err)
	}
	if got := m.OpsetVersion(""); got != opset {
		err := onnx.UnsupportedError(fmt.Sprintf("its operators are of version %d, want %d", got, opset))
		return nil, fmt.Errorf("gonnx: open %s: %w; run it in ONNX Runtime", path, err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("gonnx: %w", err)
	}
	s, err := newSession(m, data)
	if err != nil {
		return nil, fmt.Errorf("gonnx: open %s: %w", path, err)
	}
	s.path, s.threads = path, max(1, o.Threads)
	return s, nil
}

// newSession has onnx-go read the model, which is known from our own reader as well.
func newSession(m *onnx.ModelProto, data []byte) (*Session, error) {
	b, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("onnx-go cannot read it: %w", err)
	}
	s := &Session{
		threads: 1, operations: b.operations, constants: map[string]*array{},
		elements: map[string]onnx.TensorProto_DataType{}, ranks: map[string]int{}, lastUse: map[string]int{},
	}
	s.signature(m.Graph)
	for _, t := range m.Graph.Initializer {
		if s.constants[t.Name], err = fromTensor(b.values[t.Name].constant); err != nil {
			return nil, fmt.Errorf("tensor %s: %w", t.Name, err)
		}
	}
	for i, op := range s.operations {
		for _, name := range op.inputs {
			s.lastUse[name] = i
		}
	}
	return s, nil
}

// check refuses what onnx-go would not notice, or would read wrongly.
func check(m *onnx.ModelProto) error {
	if err := onnx.Check(m); err != nil {
		return err
	}
	for _, t := range m.Graph.Initializer {
		if kind := onnx.TensorProto_DataType(t.DataType); kind != onnx.TensorProto_FLOAT && kind != onnx.TensorProto_INT64 {
			return onnx.UnsupportedError(fmt.Sprintf("tensor %s has elements of type %v, want FLOAT or INT64", t.Name, kind))
		}
	}
	for _, v := range m.Graph.Input {
		if kind := onnx.TensorProto_DataType(v.GetType().GetTensorType().GetElemType()); kind != onnx.TensorProto_FLOAT && kind != onnx.TensorProto_INT64 {
			return onnx.UnsupportedError(fmt.Sprintf("input %s has elements of type %v, want FLOAT or INT64", v.Name, kind))
		}
	}
	for _, n := range m.Graph.Node {
		if len(n.Output) != 1 {
			return onnx.UnsupportedError(fmt.Sprintf("node %s has %d outputs, want 1", n.Name, len(n.Output)))
		}
	}
	return nil
}

// decode has onnx-go read the model. It panics on some damaged files.
func decode(data []byte) (b *backend, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	b = newBackend()
	return b, onnxgo.NewModel(b).UnmarshalBinary(data)
}

// signature notes the names and types of inputs and outputs.
func (s *Session) signature(g *onnx.GraphProto) {
	for _, v := range g.Input {
		t := v.GetType().GetTensorType()
		s.inputs = append(s.inputs, v.Name)
		s.elements[v.Name] = onnx.TensorProto_DataType(t.GetElemType())
		s.ranks[v.Name] = len(t.GetShape().GetDim())
	}
	for _, v := range g.Output {
		s.outputs = append(s.outputs, v.Name)
	}
}

// Engine returns "onnx-go (pure Go)".
func (s *Session) Engine() string { return "onnx-go (pure Go)" }

// Inputs lists the names of the model's inputs.
func (s *Session) Inputs() []string { return slices.Clone(s.inputs) }

// Outputs lists the names of the model's outputs.
func (s *Session) Outputs() []string { return slices.Clone(s.outputs) }

// Close does nothing: the memory is the collector's.
func (s *Session) Close() error { return nil }

// Run computes all outputs for inputs. It ends early, between two operators, when ctx does.
func (s *Session) Run(ctx context.Context, inputs map[string]runtime.Tensor) (map[string]runtime.Tensor, error) {
	values, err := s.feed(inputs)
	if err != nil {
		return nil, fmt.Errorf("gonnx: run %s: %w", s.path, err)
	}
	for i := range s.operations {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		op := &s.operations[i]
		out, err := s.compute(op, values)
		if err != nil {
			return nil, fmt.Errorf("gonnx: run %s: node %s, %s: %w", s.path, op.outputs[0], op.kind, err)
		}
		values[op.outputs[0]] = out
		for _, name := range op.inputs {
			if s.lastUse[name] == i && !slices.Contains(s.outputs, name) {
				delete(values, name)
			}
		}
	}
	outputs := map[string]runtime.Tensor{}
	for _, name := range s.outputs {
		outputs[name] = values[name].tensor()
	}
	return outputs, nil
}

// compute computes an operation.
func (s *Session) compute(op *operation, values map[string]*array) (*array, error) {
	c := &call{operation: op, threads: s.threads}
	for _, name := range op.inputs {
		x := values[name]
		if x == nil {
			x = s.constants[name]
		}
		c.inputs = append(c.inputs, x)
	}
	return c.run()
}

// feed checks the inputs and returns them as values.
func (s *Session) feed(inputs map[string]runtime.Tensor) (map[string]*array, error) {
	for name := range inputs {
		if !slices.Contains(s.inputs, name) {
			return nil, fmt.Errorf("the model has no input %s, its inputs are %v", name, s.inputs)
		}
	}
	values := map[string]*array{}
	for _, name := range s.inputs {
		t, ok := inputs[name]
		if !ok {
			return nil, fmt.Errorf("input %s is missing, the model's inputs are %v", name, s.inputs)
		}
		a := &array{shape: t.Shape}
		var err error
		if s.elements[name] == onnx.TensorProto_INT64 {
			a.ints, err = runtime.Values[int64](name, t)
		} else {
			a.floats, err = runtime.Values[float32](name, t)
		}
		if err != nil {
			return nil, err
		}
		if len(t.Shape) != s.ranks[name] || size(t.Shape) == 0 {
			return nil, fmt.Errorf("input %s has shape %v, want %d dimensions and at least one element", name, t.Shape, s.ranks[name])
		}
		values[name] = a
	}
	return values, nil
}

// tensor returns a copy of a: it may be an input, or a constant.
func (a *array) tensor() runtime.Tensor {
	if a.isFloat() {
		return runtime.NewTensor(slices.Clone(a.floats), a.shape...)
	}
	return runtime.NewTensor(slices.Clone(a.ints), a.shape...)
}
