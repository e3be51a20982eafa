package native

import (
	"fmt"
	"io"

	"goalbert/models"
	"goalbert/native/kernel"
)

// Engine trains a model in float32: it is what a training loop drives (train.Engine).
type Engine struct {
	weights     *models.Weights
	model       *Model[float32]
	activations Activations[float32]
	gradient    *Gradient[float32]
	optimizer   *optimizer
	dropout     Dropout
}

// Precision is what linears round their weights, inputs and gradients to. Sums, weights, norms, softmax, losses and the
// optimizer are float32 in any case.
type Precision = kernel.Precision

const (
	FP32 = kernel.Full
	BF16 = kernel.BF16
)

// ParsePrecision returns the precision of a name, fp32 or bf16.
func ParsePrecision(name string) (Precision, error) { return kernel.ParsePrecision(name) }

// Options of an engine.
type Options struct {
	Threads   int       // at least one is used
	Seed      uint64    // of dropout
	Precision Precision // an error where this processor lacks it
	Recompute bool      // keep little of each layer and compute it again in the backward pass: less memory for more time
	Freeze    bool      // train a task's head alone, pooler and classifier, and leave embeddings and encoder as they are
}

// NewEngine returns an engine that trains w, changing it in place.
func NewEngine(w *models.Weights, o Options) (*Engine, error) {
	if err := o.Precision.Available(); err != nil {
		return nil, fmt.Errorf("native: %w", err)
	}
	if o.Freeze && w.Parameters.Classifier == nil {
		return nil, fmt.Errorf("native: an %s has no classifier that could be trained alone; train it without freezing",
			w.Config.Architecture)
	}
	m := newModel[float32](w, o)
	return &Engine{
		weights:   w,
		model:     m,
		gradient:  NewGradient(m),
		optimizer: newOptimizer(w.Parameters, trainedParameters(w, o.Freeze)),
		dropout:   Dropout{Enabled: true, Seed: o.Seed},
	}, nil
}

// trainedParameters returns those that training moves. The pooler of an AlbertModel is not among them: sentence embeddings
// are means.
func trainedParameters(w *models.Weights, frozen bool) []*models.Parameter {
	p := w.Parameters
	head := map[*models.Parameter]bool{}
	for _, l := range []*models.Linear{p.Pooler, p.Classifier} {
		if l != nil {
			head[l.Weight], head[l.Bias] = true, true
		}
	}
	var list []*models.Parameter
	for _, q := range p.Order {
		if !frozen && w.Config.Architecture != models.BaseModel || head[q] == frozen {
			list = append(list, q)
		}
	}
	return list
}

// Accumulate runs forward, with dropout, and backward of one micro-batch. It adds to the gradient that of the loss
// sums divided by d, and returns the sums.
func (e *Engine) Accumulate(b *models.Batch, d models.Denominators) (models.Losses, error) {
	if err := Check(e.model.Config, b); err != nil {
		return models.Losses{}, err
	}
	e.model.Forward(&e.activations, b, e.dropout)
	losses := e.model.Loss(&e.activations, b)
	e.model.Backward(e.gradient, &e.activations, b, e.dropout, d)
	return losses, nil
}

// AllReduce hands the flat gradient to f, in the order of the parameter table, decayed tensors first.
func (e *Engine) AllReduce(f func([]float32) error) error { return f(e.gradient.Flat()) }

// Step clips the gradient, updates the weights, zeroes the gradient and returns its global norm before clipping. A
// norm that is not finite is an error, and leaves the weights and the optimizer as they were.
func (e *Engine) Step(h models.Hyperparameters) (gradNorm float64, err error) {
	gradNorm, err = e.optimizer.update(e.model.pool, e.weights.Data, e.gradient.Flat(), h)
	if err != nil {
		clear(e.gradient.Flat())
		return gradNorm, err
	}
	e.model.packTrained()
	return gradNorm, nil
}

// Evaluate returns the loss sums of b, without dropout.
func (e *Engine) Evaluate(b *models.Batch) (models.Losses, error) {
	if err := Check(e.model.Config, b); err != nil {
		return models.Losses{}, err
	}
	e.model.Infer(&e.activations, b)
	return e.model.Loss(&e.activations, b), nil
}

// Weights returns the weights that are trained.
func (e *Engine) Weights() *models.Weights { return e.weights }

// SaveOptimizer writes the optimizer's state as safetensors.
func (e *Engine) SaveOptimizer(w io.Writer) error {
	return models.WriteSafetensors(w, e.optimizer.tensors())
}

// LoadOptimizer reads what SaveOptimizer wrote.
func (e *Engine) LoadOptimizer(path string) error {
	tensors, err := models.ReadSafetensors(path)
	if err != nil {
		return err
	}
	if err := e.optimizer.setTensors(tensors); err != nil {
		return fmt.Errorf("native: read %s: %w", path, err)
	}
	return nil
}

// KernelSet names the arithmetic. Results are the same bits within one set.
func (e *Engine) KernelSet() string { return kernel.SetOf(e.model.packs.precision) }

// KernelSet names the arithmetic of this build on this machine.
func KernelSet() string { return kernel.Set() }

// Check reports whether a model of configuration c can run b: every number in its range.
func Check(c models.Config, b *models.Batch) error {
	t := b.Tokens()
	if len(b.TokenTypeIDs) != t || len(b.PositionIDs) != t || len(b.Offsets) < 2 || b.Offsets[0] != 0 || b.Offsets[b.Sequences()] != t {
		return fmt.Errorf("native: batch: %d input ids, %d token types, %d positions and offsets %v do not fit together",
			t, len(b.TokenTypeIDs), len(b.PositionIDs), b.Offsets)
	}
	for i := range b.Sequences() {
		if b.Offsets[i] >= b.Offsets[i+1] {
			return fmt.Errorf("native: batch: sequence %d has no tokens", i)
		}
	}
	for _, values := range []struct {
		name    string
		numbers []int32
		limit   int
	}{
		{"input id", b.InputIDs, c.VocabSize},
		{"token type", b.TokenTypeIDs, c.TypeVocabSize},
		{"position", b.PositionIDs, c.MaxPositionEmbeddings},
		{"masked position", b.MaskedPositions, t},
	} {
		for i, v := range values.numbers {
			if v < 0 || int(v) >= values.limit {
				return fmt.Errorf("native: batch: %s %d at index %d, want 0 to %d", values.name, v, i, values.limit-1)
			}
		}
	}
	if len(b.MaskedLabels) > 0 && !c.Architecture.HasPredictions() {
		return fmt.Errorf("native: batch: %d masked labels, and an %s has no masked-LM head; take a model that has, as an %s",
			len(b.MaskedLabels), c.Architecture, models.ForPreTraining)
	}
	if err := checkLabels("masked label", b.MaskedLabels, len(b.MaskedPositions), c.VocabSize); err != nil {
		return err
	}
	if b.SentenceLabels != nil {
		if err := checkLabels("sentence label", b.SentenceLabels, b.Sequences(), 2); err != nil {
			return err
		}
	}
	return checkTask(&c, b)
}

func checkLabels(name string, labels []int32, count, limit int) error {
	if len(labels) != count {
		return fmt.Errorf("native: batch: %d %ss, want %d", len(labels), name, count)
	}
	for i, v := range labels {
		if v != models.IgnoreIndex && (v < 0 || int(v) >= limit) {
			return fmt.Errorf("native: batch: %s %d at index %d, want 0 to %d or %d", name, v, i, limit-1, models.IgnoreIndex)
		}
	}
	return nil
}
