//go:build !cgo || windows

package ort

import (
	"context"
	"errors"
	goruntime "runtime"

	"goalbert/runtime"
)

// Cgo says whether this build can run ONNX Runtime.
const Cgo = false

// Session is a model in ONNX Runtime. A build without cgo has none.
type Session struct{}

var _ runtime.Session = (*Session)(nil)

// Open returns an error: ONNX Runtime is reached through cgo.
func Open(path string, o Options) (*Session, error) { return nil, errNoCgo() }

// Load returns an error, as Open does.
func Load(option string) (Library, error) { return Library{}, errNoCgo() }

func (s *Session) Engine() string    { return "onnxruntime" }
func (s *Session) Library() Library  { return Library{} }
func (s *Session) Inputs() []string  { return nil }
func (s *Session) Outputs() []string { return nil }
func (s *Session) Close() error      { return nil }

func (s *Session) Run(context.Context, map[string]runtime.Tensor) (map[string]runtime.Tensor, error) {
	return nil, errNoCgo()
}

// Binding is a batch whose tensors stay where they are. A build without cgo has none.
type Binding struct{}

// Bind returns an error, as Open does.
func (s *Session) Bind(inputs, outputs map[string]runtime.Tensor) (*Binding, error) {
	return nil, errNoCgo()
}

func (b *Binding) Run(context.Context) error { return errNoCgo() }
func (b *Binding) Close() error              { return nil }

// probe cannot ask a library that it cannot load: what is known of it is its file.
func probe(path string) (version string, providers []string, err error) { return "", []string{}, nil }

// preload cannot load either, and says nothing against what it cannot try.
func preload(names, dirs []string) (missing []string) { return nil }

func buildLack() error { return errNoCgo() }

func errNoCgo() error {
	if goruntime.GOOS == "windows" {
		return errors.New("ort: ONNX Runtime is not supported on Windows; use the pure-Go engine")
	}
	return errors.New("ort: built without cgo; rebuild with CGO_ENABLED=1")
}
