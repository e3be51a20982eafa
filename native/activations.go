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
	LastHiddenState        []T                   // (T, H): the last layer's output; of another after Backward with Options.Recompute

	Pooler pooled[T] // without rows where the model has no pooler

	MaskedHidden          []T           // (M, H): the hidden states at the masked positions
	PredictionsDense      []T           // (M, E): before the activation
	PredictionsActivation normalized[T] // (M, E): after it, and after the norm
	PredictionLogits      []T           // (M, V); holds its gradient after Backward
	SOPLogits             []T           // (B, 2); holds its gradient after Backward

	// Of a task's classifier: (B, labels) on the pooled output, else (T, labels). Of the features of a batch of groups:
	// the cosines of its pairs, (B/2), where the batch has targets, else the scaled ones of every anchor with every
	// candidate, (N, (group-1)·N). Holds its gradient after Backward.
	Logits        []T
	DroppedHidden []T                   // (T, H): what a classifier of tokens reads, after dropout; none without
	Sentences     sentenceEmbeddings[T] // of the features of a batch of groups

	keep        retention
	scores      []T // of all workers: what attention works in
	largestHead int
	ffn         []T         // of all workers: what feed-forward works in, where it is not kept
	losses      []rowLosses // of the parts of a task
	answers     []T         // (2T): start and end logits, sequence by sequence
	ranks       []int32     // 0 to N-1: which candidate each anchor goes with
	backward    backwardPass[T]
	arena       arena[T]
}

// retention is what the backward pass finds of each layer.
type retention int

const (
	keepAll  retention = iota
	keepSums           // the inputs of both norms; all else is computed again
	keepHead           // nothing: the backward pass ends at the head
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

// pooled is the part of the pooler and of the classifier on its output.
type pooled[T kernel.Float] struct {
	FirstHidden []T // (B, H): the hidden state of each sequence's first token
	Output      []T // (B, H): tanh of its linear
	Dropped     []T // (B, H): after dropout
}

// take sizes a for a pass: it counts what is needed, makes sure that there is as much, and hands it out.
func (a *Activations[T]) take(p *pass[T], keep retention) {
	a.keep = keep
	a.arena.count()
	a.takeAll(p)
	if a.arena.used > len(a.arena.slab) {
		slab := a.arena
		*a = Activations[T]{keep: keep, arena: slab, ranks: a.ranks} // let go of what there was before there is more
	}
	a.arena.handOut()
	a.takeAll(p)
}

func (a *Activations[T]) takeAll(p *pass[T]) {
	m, b, c := p.Model, p.b, p.Config
	t, e, h := b.Tokens(), c.EmbeddingSize, c.HiddenSize
	a.Embeddings = a.norm(t, e)
	a.EmbeddingHiddenMapping = a.arena.take(t * h)
	a.takeLayers(p)
	masked, sequences := 0, b.Sequences()
	if m.table.Predictions != nil {
		masked = len(b.MaskedPositions)
	}
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
	a.SOPLogits = nil
	if m.table.SOPClassifier != nil {
		a.SOPLogits = a.arena.take(sequences * 2)
	}
	a.takeTask(p)
	if a.keep != keepNone {
		a.backward.take(p)
	}
}

// takeTask takes the memory of a task's head.
func (a *Activations[T]) takeTask(p *pass[T]) {
	b, h := p.b, p.Config.HiddenSize
	a.Logits, a.DroppedHidden, a.answers, a.Sentences = nil, nil, nil, sentenceEmbeddings[T]{}
	switch l := p.table.Classifier; {
	case l != nil && p.table.Pooler != nil:
		a.Logits = a.arena.take(b.Sequences() * l.Bias.Size())
	case l != nil:
		a.Logits = a.arena.take(b.Tokens() * l.Bias.Size())
		if drop := p.tokenDropper(); drop.drops() {
			a.DroppedHidden = a.arena.take(b.Tokens() * h)
		}
		if p.Config.Architecture == models.ForQuestionAnswering {
			a.answers = a.arena.take(2 * b.Tokens())
		}
	case p.compares():
		a.Sentences = sentenceEmbeddings[T]{Unit: a.arena.take(b.Sequences() * h), Length: a.arena.take(b.Sequences())}
		n, group := b.Sequences()/b.Group, b.Group
		if b.Targets != nil {
			a.Logits = a.arena.take(n)
			return
		}
		a.Logits = a.arena.take(n * (group - 1) * n)
		for len(a.ranks) < n {
			a.ranks = append(a.ranks, int32(len(a.ranks)))
		}
	}
}

func (a *Activations[T]) takeLayers(p *pass[T]) {
	c, t := p.Config, p.b.Tokens()
	h, i := c.HiddenSize, c.IntermediateSize
	a.Layers = a.Layers[:0]
	a.largestHead = largestHead(p.b.Offsets, p.b.Offsets)
	a.scores = a.arena.take(p.pool.threads * matrices * a.largestHead)
	if a.keep != keepAll {
		a.ffn = a.arena.take(p.pool.threads * p.tiles().tile * i)
	}
	input := a.EmbeddingHiddenMapping
	for n := range c.NumHiddenLayers * c.InnerGroupNum {
		var l LayerActivations[T]
		if n == 0 || a.keep == keepAll {
			l = LayerActivations[T]{QueryKeyValue: a.arena.take(t * 3 * h), Context: a.arena.take(t * h)}
			if a.keep == keepAll {
				l.Dense, l.FFN, l.FFNActivation = a.norm(t, h), a.arena.take(t*i), a.arena.take(t*i)
			} else {
				l.Dense = a.normTo(l.Context, t, h) // a row's context is out of use before the row has an output
			}
			l.FullLayer = a.norm(t, h)
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

// Size returns how many numbers the last pass needed, the gradients of its backward pass included.
func (a *Activations[T]) Size() int { return a.arena.used }

// arena hands out pieces of one slab. What is taken is counted first, so that the slab is large enough: after the largest
// batch has been seen nothing is allocated any more.
type arena[T kernel.Float] struct {
	slab     []T
	used     int // scalars taken
	counting bool
}

// count makes take only count.
func (a *arena[T]) count() { a.used, a.counting = 0, true }

// handOut makes take hand out a slab as large as was counted.
func (a *arena[T]) handOut() {
	if a.used > len(a.slab) {
		n := a.used
		if len(a.slab) > 0 { // batches differ in size, and the next may be a little larger
			n += n / 8
		}
		a.slab = nil
		runtime.GC() // so that the old slab and the new one are not there at once
		a.slab = make([]T, n)
	}
	a.used, a.counting = 0, false
}

// take returns n scalars of unspecified value.
func (a *arena[T]) take(n int) []T {
	lo := a.used
	a.used += n
	if a.counting {
		return nil
	}
	return a.slab[lo:a.used:a.used]
}
