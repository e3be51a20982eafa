package gonnx

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"goalbert/onnx"
	"goalbert/runtime"
)

// Options of a session. The zero value is good.
type Options struct {
	Threads int // for each run, 0 for as many as the program may use processors
}

// Session is a model in pure Go. It implements [runtime.Session] and is safe for concurrent use.
type Session struct {
	path    string
	program *program
	inputs  []declaration
	threads int
	memory  sync.Pool // of *memory, one for each concurrent run
	closed  atomic.Bool
}

var _ runtime.Session = (*Session)(nil)

// Open loads the .onnx file at path: standard operators on float32 and int64, without functions or subgraphs.
func Open(path string, o Options) (*Session, error) {
	if o.Threads < 0 {
		return nil, fmt.Errorf("gonnx: open model: %d threads, want 0 or more", o.Threads)
	}
	m, err := onnx.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("gonnx: open model: %w", err)
	}
	s, err := open(m, o.Threads)
	if err != nil {
		return nil, fmt.Errorf("gonnx: open model: %s: %w", path, err)
	}
	s.path = path
	return s, nil
}

func open(m *onnx.ModelProto, threads int) (*Session, error) {
	p, err := newProgram(m)
	if err != nil {
		return nil, err
	}
	s := &Session{program: p, threads: threads}
	s.memory.New = func() any { return new(memory) }
	if s.threads == 0 {
		s.threads = processors()
	}
	for _, name := range p.inputNames {
		i := slices.IndexFunc(m.Graph.Input, func(v *onnx.ValueInfoProto) bool { return v.Name == name })
		d, err := newDeclaration(m.Graph.Input[i])
		if err != nil {
			return nil, err
		}
		s.inputs = append(s.inputs, d)
	}
	for _, v := range m.Graph.Output {
		if _, err := newDeclaration(v); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Engine returns "onnx-go (pure Go)".
func (s *Session) Engine() string { return "onnx-go (pure Go)" }

// Inputs lists the names of the model's inputs.
func (s *Session) Inputs() []string { return slices.Clone(s.program.inputNames) }

// Outputs lists the names of the model's outputs.
func (s *Session) Outputs() []string { return slices.Clone(s.program.outputNames) }

// Close keeps the session from being run again. The memory is the collector's.
func (s *Session) Close() error {
	s.closed.Store(true)
	return nil
}

// Run computes all outputs for inputs. It ends before the next operator when ctx ends.
func (s *Session) Run(ctx context.Context, inputs map[string]runtime.Tensor) (map[string]runtime.Tensor, error) {
	outputs, err := s.run(ctx, inputs)
	if err != nil && errors.Is(err, ctx.Err()) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("gonnx: run: %s: %w", s.path, err)
	}
	return outputs, nil
}

func (s *Session) run(ctx context.Context, inputs map[string]runtime.Tensor) (map[string]runtime.Tensor, error) {
	if s.closed.Load() {
		return nil, errors.New("the session is closed")
	}
	fed, err := feed(s.inputs, inputs)
	if err != nil {
		return nil, err
	}
	m := s.memory.Get().(*memory)
	results, err := s.program.evaluate(ctx, &run{pool: pool{s.threads}, limit: s.program.limit, memory: m}, fed)
	if err != nil {
		return nil, err // and m with what it holds is the collector's
	}
	outputs := make(map[string]runtime.Tensor, len(results))
	given := map[*storage]bool{}
	for i, t := range results {
		name := s.program.outputNames[i]
		if outputs[name], err = handOver(t, given); err != nil {
			return nil, fmt.Errorf("output %q: %w", name, err)
		}
	}
	s.memory.Put(m)
	return outputs, nil
}

// handOver returns t as the caller's own: its buffer, or a copy where that is a constant's, an input's, or given already.
func handOver(t tensor, given map[*storage]bool) (runtime.Tensor, error) {
	shared := t.store == nil || given[t.store]
	if !shared {
		given[t.store] = true
	}
	shape := slices.Clone(t.shape)
	switch data := t.data.(type) {
	case []float32:
		if shared {
			data = slices.Clone(data)
		}
		return runtime.NewTensor(slices.Clip(data), shape...), nil
	case []int64:
		if shared {
			data = slices.Clone(data)
		}
		return runtime.NewTensor(slices.Clip(data), shape...), nil
	}
	return runtime.Tensor{}, fmt.Errorf("a tensor of %s, want float32 or int64", t.typeName())
}
