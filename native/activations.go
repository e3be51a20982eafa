package native

import (
	"runtime"

	"goalbert/models"
	"goalbert/native/kernel"
)

// Activations is what a forward pass computes and its backward pass reads. The memory is taken from an arena that
// grows to the largest batch seen and is used again by the next; so an Activations belongs to one pass at a time,
// and its contents are valid until the next.
//
// With Options.Recompute, and after Infer, the layers share the memory of what is not kept: it holds the values of the
// last layer that computed them.
type Activations[T kernel.Float] struct {
	Embeddings             normalized[T]         // (T, E): sum of the three embeddings; after norm and dropout
	EmbeddingHiddenMapping []T                   // (T, H): the first layer's input
	Layers                 []LayerActivations[T] // one for each of the L·inner uses of a layer
	LastHiddenState        []T                   // (T, H): the last layer's output

	Pooler pooled[T] // without rows where the model has no pooler

	MaskedHidden          []T           // (M, H): the hidden states at the masked positions
	PredictionsDense      []T           // (M, E): before the activation
	PredictionsActivation normalized[T] // (M, E): after it, and after the norm
	PredictionLogits      []T           // (M, V); holds its gradient after Backward
	SOPLogits             []T           // (B, 2); holds its gradient after Backward

	keep     retention
	losses   []rowLosses // of the parts of a task
	backward backwardPass[T]
	arena    arena[T]
}

// retention is what the backward pass finds of each layer.
type retention int

const (
	keepAll  retention = iota
	keepSums           // the inputs of both norms; all else is computed again
	keepNone           // there will be no backward pass
)

// LayerActivations are those of one use of a layer.
type LayerActivations[T kernel.Float] struct {
	Input         []T           // (T, H)
	QueryKeyValue []T           // (T, 3H): query, key and value side by side
	Context       []T           // (T, H): the heads side by side
	Dense         normalized[T] // (T, H): input + dense(context); after attention.LayerNorm
	FFN           []T           // (T, I): before the activation
	FFNActivation []T           // (T, I)
	FullLayer     normalized[T] // (T, H): Dense.Output + ffn_output; after full_layer_layer_norm
}

// pooled is the pooler's and the sentence head's part.
type pooled[T kernel.Float] struct {
	FirstHidden []T // (B, H): the hidden state of each sequence's first token
	Output      []T // (B, H): tanh of its linear
	Dropped     []T // (B, H): after dropout
}

// take sizes a for a batch of model m.
func (a *Activations[T]) take(m *Model[T], b *models.Batch, keep retention) {
	c := m.Config
	t, e, h := b.Tokens(), c.EmbeddingSize, c.HiddenSize
	if a.arena.grows() {
		*a = Activations[T]{arena: arena[T]{most: a.arena.most}}
	}
	a.arena.reset()
	a.keep = keep
	a.Embeddings = a.norm(t, e)
	a.EmbeddingHiddenMapping = a.arena.take(t * h)
	a.takeLayers(c, t)
	masked, sequences := len(b.MaskedPositions), b.Sequences()
	a.MaskedHidden = a.arena.take(masked * h)
	a.PredictionsDense = a.arena.take(masked * e)
	a.PredictionsActivation = a.norm(masked, e)
	a.PredictionLogits = a.arena.take(masked * c.VocabSize)
	if m.table.Pooler == nil {
		sequences = 0
	}
	a.Pooler = pooled[T]{
		FirstHidden: a.arena.take(sequences * h),
		Output:      a.arena.take(sequences * h),
		Dropped:     a.arena.take(sequences * h),
	}
	a.SOPLogits = a.arena.take(sequences * 2)
}

func (a *Activations[T]) takeLayers(c models.Config, t int) {
	h, i := c.HiddenSize, c.IntermediateSize
	a.Layers = a.Layers[:0]
	input := a.EmbeddingHiddenMapping
	for n := range c.NumHiddenLayers * c.InnerGroupNum {
		var l LayerActivations[T]
		if n == 0 || a.keep == keepAll {
			l = LayerActivations[T]{
				QueryKeyValue: a.arena.take(t * 3 * h),
				Context:       a.arena.take(t * h),
				Dense:         a.norm(t, h),
				FFN:           a.arena.take(t * i),
				FullLayer:     a.norm(t, h),
			}
			l.FFNActivation = l.FFN
			if a.keep != keepNone {
				l.FFNActivation = a.arena.take(t * i)
			}
		} else {
			l = a.Layers[0]
			if a.keep == keepSums {
				l.Dense = a.normTo(l.Dense.Output, t, h)
				l.FullLayer = a.normTo(l.FullLayer.Output, t, h)
			}
		}
		l.Input = input
		input = l.FullLayer.Output
		a.Layers = append(a.Layers, l)
	}
	a.LastHiddenState = input
}

func (a *Activations[T]) norm(rows, columns int) normalized[T] {
	return a.normTo(a.arena.take(rows*columns), rows, columns)
}

func (a *Activations[T]) normTo(output []T, rows, columns int) normalized[T] {
	return normalized[T]{
		Sum:    a.arena.take(rows * columns),
		Mean:   a.arena.take(rows),
		RStd:   a.arena.take(rows),
		Output: output,
	}
}

// Size returns how many numbers the largest pass so far needed, its gradients included.
func (a *Activations[T]) Size() int { return a.arena.most }

// arena hands out pieces of one slab. When the slab is too small it hands out new memory, and the next reset makes
// the slab large enough: after the largest batch has been seen nothing is allocated any more.
type arena[T kernel.Float] struct {
	slab []T
	used int // scalars handed out since the last reset, in the slab or beyond it
	most int // the largest that used has been
}

// grows says whether the next reset takes new memory.
func (a *arena[T]) grows() bool { return a.most > len(a.slab) }

// reset takes everything back. What there was must be out of use, so that it is collected before there is more.
func (a *arena[T]) reset() {
	if a.grows() {
		a.slab = nil
		runtime.GC()
		a.slab = make([]T, a.most)
	}
	a.used = 0
}

// take returns n scalars of unspecified value.
func (a *arena[T]) take(n int) []T {
	lo := a.used
	a.used += n
	a.most = max(a.most, a.used)
	if a.used > len(a.slab) {
		return make([]T, n)
	}
	return a.slab[lo:a.used:a.used]
}

// zeroed returns n zeros.
func (a *arena[T]) zeroed(n int) []T {
	s := a.take(n)
	clear(s)
	return s
}

// mark and release bracket memory that is given back before the next reset.
func (a *arena[T]) mark() int        { return a.used }
func (a *arena[T]) release(mark int) { a.used = mark }
