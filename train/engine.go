package train

import (
	"io"

	"goalbert/models"
)

// Engine holds the weights of a model and the state of their optimizer, and does the arithmetic of training: package
// native implements it. One optimizer step is any number of Accumulate, AllReduce where there are replicas, and Step.
// An Engine is driven by one goroutine.
type Engine interface {
	// Accumulate runs forward and backward of one micro-batch, with dropout, adds to the gradient that of the
	// losses' sums divided by d, and returns the sums.
	Accumulate(b *models.Batch, d models.Denominators) (models.Losses, error)

	// AllReduce hands the flat gradient (parameter-table order, decayed first) to f, which may sum it over replicas.
	AllReduce(f func([]float32) error) error

	// Step clips the gradient, updates the weights, zeroes the gradient and returns its global norm before clipping.
	Step(h models.Hyperparameters) (gradNorm float64, err error)

	// Evaluate returns the losses of b: forward only, without dropout. It leaves weights and gradient as they are.
	Evaluate(b *models.Batch) (models.Losses, error)

	// Weights returns the current ones, read-only until the next Step.
	Weights() *models.Weights

	// SaveOptimizer writes the optimizer's state, its moments and step count, as safetensors.
	SaveOptimizer(w io.Writer) error

	// LoadOptimizer reads what SaveOptimizer wrote.
	LoadOptimizer(path string) error

	// KernelSet names the arithmetic ("portable float32, arm64", "avx512 float32"): results are identical to the bit within
	// one.
	KernelSet() string
}
