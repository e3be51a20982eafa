//go:build cgo && !windows

package ort

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	onnxruntime "github.com/yalue/onnxruntime_go"

	"goalbert/runtime"
)

// Binding is a batch whose tensors stay where they are: [Binding.Run] reads the inputs in the caller's memory and
// writes the outputs into the caller's memory, without a copy and without allocating an output. The caller fills the
// inputs before each run and reads the outputs after it. One session may have many bindings, which may run at the same
// time; the runs of one follow each other.
//
// ONNX Runtime's own IoBinding is not used: it copies inputs to a device when they are bound, not when they are run,
// and its runs cannot be cancelled.
type Binding struct {
	session         *Session
	mu              sync.Mutex
	tensors         []runtime.Tensor // which keep the memory alive
	inputs, outputs []onnxruntime.Value
	closed          bool
}

// Bind returns a binding of all inputs and all outputs of the model, by their names. Outputs must have the shapes that
// the inputs lead to, as those that [Session.Run] returns for inputs of the same shapes.
func (s *Session) Bind(inputs, outputs map[string]runtime.Tensor) (*Binding, error) {
	b := &Binding{session: s, tensors: slices.Concat(slices.Collect(maps.Values(inputs)), slices.Collect(maps.Values(outputs)))}
	var err error
	if b.inputs, err = values("input", s.inputs, inputs); err == nil {
		b.outputs, err = values("output", s.outputs, outputs)
	}
	if err != nil {
		b.Close()
		return nil, fmt.Errorf("ort: bind: %s: %w", s.path, err)
	}
	return b, nil
}

// Run computes the outputs from the inputs. It ends early when ctx does; what the outputs hold is then undefined.
func (b *Binding) Run(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.session.whileOpen(ctx, func() error {
		if b.closed {
			return errors.New("the binding is closed")
		}
		return b.session.runUntil(ctx, b.inputs, b.outputs)
	})
}

// Close lets go of the tensors. It waits for a run, and need not precede the session's.
func (b *Binding) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	destroy(b.inputs)
	destroy(b.outputs)
	b.inputs, b.outputs, b.tensors, b.closed = nil, nil, nil, true
	return nil
}
