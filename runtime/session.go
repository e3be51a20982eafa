package runtime

import "context"

// Session is a loaded model, ready to run. It is safe for concurrent use.
type Session interface {
	// Engine names what runs the model, with its version where it has one: "onnxruntime 1.30.0 (cpu)".
	Engine() string

	// Inputs lists the names of the model's inputs, and Outputs those of its outputs, in the model's order.
	Inputs() []string
	Outputs() []string

	// Run computes all outputs of one padded batch. Inputs are matched by name: a missing one is an error, and so
	// is one that the model does not have. Run returns early with ctx.Err() where the engine can be interrupted.
	// The returned tensors belong to the caller.
	Run(ctx context.Context, inputs map[string]Tensor) (map[string]Tensor, error)

	// Close frees the model. Run must not be called after it.
	Close() error
}
