//go:build cgo && !windows

package ort

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	onnxruntime "github.com/yalue/onnxruntime_go"

	"goalbert/runtime"
)

// Session is a model in ONNX Runtime. It implements [runtime.Session] and is safe for concurrent use.
type Session struct {
	path            string
	library         Library
	provider        Provider
	inputs, outputs []onnxruntime.InputOutputInfo
	profile         *profile // nil where none is asked for

	mu      sync.RWMutex // held for reading by each Run, so that Close waits for them
	session *onnxruntime.DynamicAdvancedSession
}

var _ runtime.Session = (*Session)(nil)

// Open loads the .onnx file at path. Its inputs and outputs must be tensors of float32 or int64. It returns after the
// runs that o.WarmUp asks for.
func Open(path string, o Options) (*Session, error) {
	library, err := load(o.Library)
	if err != nil {
		return nil, err
	}
	var s *Session
	err = keepHandlers(func() (err error) {
		s, err = open(path, library, o)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ort: open model: %s: %w", path, err)
	}
	return s, nil
}

func open(path string, library Library, o Options) (s *Session, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	if info.IsDir() {
		return nil, errors.New("is a directory, want an .onnx file")
	}
	m, err := checkModel(path)
	if err != nil {
		return nil, err
	}
	inputs, outputs, err := signature(m)
	if err != nil {
		return nil, err
	}
	options, err := sessionOptions(library, o)
	if err != nil {
		return nil, err
	}
	defer options.Destroy()
	profile, err := newProfile(options, o.Profile)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			profile.discard()
		}
	}()
	s = &Session{path: path, library: library, provider: cmp.Or(o.Provider, CPU), inputs: inputs, outputs: outputs, profile: profile}
	s.session, err = onnxruntime.NewDynamicAdvancedSession(path, s.Inputs(), s.Outputs(), options)
	if err != nil {
		return nil, fellBack(unreadable(cause(err)), o)
	}
	for _, shape := range o.WarmUp {
		if err := s.warmUp(shape); err != nil {
			s.session.Destroy()
			return nil, err
		}
	}
	return s, nil
}

// fellBack adds to err, where it is ONNX Runtime's word for a node that the provider cannot run, how to see which.
func fellBack(err error, o Options) error {
	if o.NoCPUFallback && strings.Contains(err.Error(), "CPU EP") {
		return fmt.Errorf("provider %s cannot run every node: %w; allow the fallback, and albert doctor --model says which",
			cmp.Or(o.Provider, CPU), err)
	}
	return err
}

// unreadable explains err where it is ONNX Runtime's word, of version 1.24 to 1.32, for a file that ends early or is
// something else.
func unreadable(err error) error {
	for _, word := range []string{"Protobuf parsing failed", "does not have a graph", "No graph was found"} {
		if strings.Contains(err.Error(), word) {
			return fmt.Errorf("truncated, or not an ONNX model (%s); export it again", word)
		}
	}
	return err
}

// Engine returns "onnxruntime", its version and the provider.
func (s *Session) Engine() string {
	return fmt.Sprintf("onnxruntime %s (%s)", s.library.Version, s.provider)
}

// Library returns the library that runs the model.
func (s *Session) Library() Library { return s.library }

// Inputs lists the names of the model's inputs.
func (s *Session) Inputs() []string { return names(s.inputs) }

// Outputs lists the names of the model's outputs.
func (s *Session) Outputs() []string { return names(s.outputs) }

func names(infos []onnxruntime.InputOutputInfo) []string {
	list := make([]string, len(infos))
	for i, info := range infos {
		list[i] = info.Name
	}
	return list
}

// Run computes all outputs for inputs. It ends early when ctx does: ONNX Runtime stops before its next node.
func (s *Session) Run(ctx context.Context, inputs map[string]runtime.Tensor) (outputs map[string]runtime.Tensor, err error) {
	err = s.whileOpen(ctx, func() (err error) {
		outputs, err = s.run(ctx, inputs)
		return err
	})
	return outputs, err
}

// whileOpen calls f, which runs the session until ctx ends, and keeps the session open meanwhile.
func (s *Session) whileOpen(ctx context.Context, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	err := errors.New("the session is closed")
	if s.session != nil {
		err = f()
	}
	if ctx.Err() != nil && err != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("ort: run: %s: %w", s.path, err)
	}
	return nil
}

func (s *Session) run(ctx context.Context, inputs map[string]runtime.Tensor) (map[string]runtime.Tensor, error) {
	values, err := values("input", s.inputs, inputs)
	defer destroy(values)
	if err != nil {
		return nil, err
	}
	results := make([]onnxruntime.Value, len(s.outputs))
	defer destroy(results)
	if err := s.runUntil(ctx, values, results); err != nil {
		return nil, err
	}
	outputs := make(map[string]runtime.Tensor, len(results))
	for i, result := range results {
		tensor, err := fromValue(result)
		if err != nil {
			return nil, fmt.Errorf("output %q: %w", s.outputs[i].Name, err)
		}
		outputs[s.outputs[i].Name] = tensor
	}
	return outputs, nil
}

// runUntil runs the session and terminates it when ctx ends. Results that are nil are allocated.
func (s *Session) runUntil(ctx context.Context, values, results []onnxruntime.Value) error {
	if ctx.Done() == nil {
		return cause(s.session.Run(values, results))
	}
	options, err := onnxruntime.NewRunOptions()
	if err != nil {
		return err
	}
	defer options.Destroy()
	terminated := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		options.Terminate()
		close(terminated)
	})
	err = s.session.RunWithOptions(values, results, options)
	if !stop() {
		<-terminated // options must outlive Terminate
	}
	return cause(err)
}

// Close frees the model, after the runs that have begun, and writes the profile if one was asked for.
func (s *Session) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.session == nil {
		return nil
	}
	err := s.session.Destroy() // which ends the profile
	s.session = nil
	if err := errors.Join(err, s.profile.keep()); err != nil {
		return fmt.Errorf("ort: close model: %s: %w", s.path, err)
	}
	return nil
}

// cause returns what ONNX Runtime itself said, in one line, without the wrapper's words around it; nil for nil.
func cause(err error) error {
	if err == nil {
		return nil
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return errors.New(strings.TrimSuffix(strings.Join(strings.Fields(err.Error()), " "), "."))
}
