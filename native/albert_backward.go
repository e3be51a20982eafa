package native

import (
	"goalbert/models"
	"goalbert/native/kernel"
)

// Gradient is the derivative of the loss by every parameter, in the table's flat order. Backward adds to it.
type Gradient[T kernel.Float] struct{ parameters *parameters[T] }

// NewGradient returns a gradient of m, zero.
func NewGradient[T kernel.Float](m *Model[T]) *Gradient[T] {
	m.packs.addBackward(m.weights)
	m.pack()
	return &Gradient[T]{view(m.table, make([]T, m.table.Size))}
}

// Flat returns the numbers of g, without a copy.
func (g *Gradient[T]) Flat() []T { return g.parameters.flat }

// Backward adds to g the gradient of
//
//	Σ masked-LM cross-entropy / denominators.MaskedTokens + Σ sentence cross-entropy / denominators.Sentences
//
// for the batch of the last Forward, which must have been run with the same dropout.
func (m *Model[T]) Backward(g *Gradient[T], a *Activations[T], b *models.Batch, d Dropout, denominators models.Denominators) {
	mark := a.arena.mark()
	p := &a.backward
	*p = backwardPass[T]{pass: pass[T]{m, a, b, d}, grad: g.parameters}
	p.takeMemory()
	clear(p.dHidden)
	if m.table.Pooler != nil && b.SentenceLabels != nil {
		p.sentenceBackward(denominators.Sentences)
	}
	p.predictionsBackward(denominators.MaskedTokens)
	p.encoderBackward()
	p.embeddingsBackward()
	a.arena.release(mark)
}

// backwardPass is the memory of the gradients of one layer, which the depths use one after the other, and of the packed
// inputs of its linears.
type backwardPass[T kernel.Float] struct {
	pass[T]
	grad *parameters[T]

	dHidden        []T // (T, H): of a layer's output, and at last of its input
	dFullLayer     []T // (T, H): of the sum before full_layer_layer_norm
	dFFNOutput     []T // (T, H): of ffn_output: dFullLayer after dropout
	dFFN           []T // (T, I)
	dAttention     []T // (T, H): of the sum before attention.LayerNorm
	dDense         []T // (T, H): of dense: dAttention after dropout
	dContext       []T // (T, H)
	dQueryKeyValue []T // (T, 3H)

	input, context, denseOutput, ffnActivation kernel.Packed[T]
	attentionNorm, fullLayerNorm               normGradients[T]
}

func (p *backwardPass[T]) takeMemory() {
	t, h, i, arena := p.b.Tokens(), p.Config.HiddenSize, p.Config.IntermediateSize, &p.a.arena
	p.dHidden = arena.take(t * h)
	p.dFullLayer = arena.take(t * h)
	p.dFFN = arena.take(t * i)
	p.dAttention = arena.take(t * h)
	p.dContext = arena.take(t * h)
	p.dQueryKeyValue = arena.take(t * 3 * h)
	p.dFFNOutput, p.dDense = p.dFullLayer, p.dAttention
	if p.d.Enabled && p.Config.HiddenDropoutProb > 0 {
		p.dFFNOutput, p.dDense = arena.take(t*h), arena.take(t*h)
	}
	p.input, p.context, p.denseOutput = p.packed(t, h), p.packed(t, h), p.packed(t, h)
	p.ffnActivation = p.packed(t, i)
}

// packed returns memory for rows of an input, packed to multiply a gradient with.
func (p *backwardPass[T]) packed(rows, columns int) kernel.Packed[T] {
	precision := p.packs.precision
	return kernel.NewPacked(precision, rows, columns, p.a.arena.take(kernel.PackedSize[T](precision, rows, columns)))
}

// encoderBackward makes of the gradient of the last layer's output that of the first one's input. The shared layer's
// gradient is the sum over its uses: each adds to the same tensors.
func (p *backwardPass[T]) encoderBackward() {
	mark := p.a.arena.mark()
	for i := len(p.a.Layers) - 1; i >= 0; i-- {
		p.layerBackward(i)
		p.a.arena.release(mark)
	}
}

// layerBackward goes through use i of a layer in three tasks: the rows down to the context; attention, and meanwhile the
// gradients of the weights passed; the rows of query, key and value, and the gradients of theirs.
func (p *backwardPass[T]) layerBackward(i int) {
	act, d, tiles, h := &p.a.Layers[i], p.layerWeights(p.grad, i), p.tiles(), p.Config.HiddenSize
	if p.a.keep == keepSums {
		run(p.pool, tiles.count(), inputRowsAgain[T]{p.pass, i})
		p.attend(i)
	}
	p.attentionNorm = newNormGradients(&p.a.arena, tiles.count(), h)
	p.fullLayerNorm = newNormGradients(&p.a.arena, tiles.count(), h)
	run(p.pool, tiles.count(), layerRowsBackward[T]{p, i})
	p.attentionNorm.addTo(d.attentionLayerNorm)
	p.fullLayerNorm.addTo(d.fullLayerLayerNorm)

	at := attentionBackward[T]{
		attention: p.attention(i), d: sideBySide(p.dQueryKeyValue, h), dContext: p.dContext,
		in: sideBySide(act.QueryKeyValue, h),
		gradients: linearGradients[T]{
			{&d.ffnOutput, p.dFFNOutput, p.ffnActivation}, {&d.ffn, p.dFFN, p.denseOutput}, {&d.dense, p.dDense, p.context},
		},
	}
	at.takeScratch(&p.a.arena, p.pool.threads)
	run(p.pool, at.parts(), at)

	last := queryKeyValueBackward[T]{p, i, linearGradients[T]{{&d.queryKeyValue, p.dQueryKeyValue, p.input}}}
	run(p.pool, last.parts(), last)
}

// inputRowsAgain computes the input of use i of a layer, and query, key and value.
type inputRowsAgain[T kernel.Float] struct {
	pass[T]
	layer int
}

func (p *inputRowsAgain[T]) do(_, i int) {
	s := p.tiles().at(i)
	if p.layer > 0 {
		w := p.layerWeights(p.weights, p.layer-1)
		w.fullLayerLayerNorm.forward(&p.a.Layers[p.layer-1].FullLayer, s, p.Config.LayerNormEps)
	}
	p.queryKeyValue(p.layer, s)
}

// layerRowsBackward is the backward pass of layerRows. A residual sends the gradient of a sum to both of its terms.
type layerRowsBackward[T kernel.Float] struct {
	*backwardPass[T]
	layer int
}

func (p *layerRowsBackward[T]) do(_, i int) {
	s, h := p.tiles().at(i), p.Config.HiddenSize
	w, act := p.layerWeights(p.weights, p.layer), &p.a.Layers[p.layer]
	if p.a.keep == keepSums {
		w.attentionLayerNorm.forward(&act.Dense, s, p.Config.LayerNormEps)
		p.ffnInner(p.layer, s)
	}
	p.ffnBackward(p.layer, i, s)

	w.attentionLayerNorm.backward(p.dAttention, &p.attentionNorm, i, p.dAttention, &act.Dense, s)
	drop := p.dropper(siteAttentionOutput, p.layer)
	drop.tokens(p.dDense, p.dAttention, s, h)
	w.dense.backward(part(p.dContext, s, h), part(p.dDense, s, h), nil)
	p.context.Pack(false, act.Context, h, s.lo, s.hi)
	p.input.Pack(false, act.Input, h, s.lo, s.hi)
}

// queryKeyValueBackward gives the rows of dHidden what comes through query, key and value, and past them.
type queryKeyValueBackward[T kernel.Float] struct {
	*backwardPass[T]
	layer     int
	gradients linearGradients[T]
}

func (p *queryKeyValueBackward[T]) parts() int { return p.tiles().count() + p.gradients.parts() }

func (p *queryKeyValueBackward[T]) do(worker, i int) {
	tiles, h := p.tiles(), p.Config.HiddenSize
	if i >= tiles.count() {
		p.gradients.do(worker, i-tiles.count())
		return
	}
	s, w := tiles.at(i), p.layerWeights(p.weights, p.layer)
	w.queryKeyValue.backward(part(p.dHidden, s, h), part(p.dQueryKeyValue, s, 3*h), part(p.dAttention, s, h))
}

// embeddingsBackward adds to the gradients of the mapping, the norm and the three tables.
func (p *backwardPass[T]) embeddingsBackward() {
	t, e, arena := p.b.Tokens(), p.Config.EmbeddingSize, &p.a.arena
	rows := embeddingRowsBackward[T]{p, arena.take(t * e), p.packed(t, e), newNormGradients(arena, p.tiles().count(), e)}
	run(p.pool, p.tiles().count(), rows)
	rows.norm.addTo(p.grad.embeddingLayerNorm)
	mapping := linearGradients[T]{{&p.grad.embeddingHiddenMapping, p.dHidden, rows.output}}
	run(p.pool, mapping.parts(), mapping)
	p.grad.sumEmbeddingsBackward(rows.dSum, p.b, e, p.Config.PadTokenID)
}

type embeddingRowsBackward[T kernel.Float] struct {
	*backwardPass[T]
	dSum   []T // (T, E)
	output kernel.Packed[T]
	norm   normGradients[T]
}

func (p *embeddingRowsBackward[T]) do(_, i int) {
	s, w, e, h := p.tiles().at(i), p.weights, p.Config.EmbeddingSize, p.Config.HiddenSize
	w.embeddingHiddenMapping.backward(part(p.dSum, s, e), part(p.dHidden, s, h), nil)
	drop := p.dropper(siteEmbeddings, 0)
	drop.tokens(p.dSum, p.dSum, s, e)
	w.embeddingLayerNorm.backward(p.dSum, &p.norm, i, p.dSum, &p.a.Embeddings, s)
	p.output.Pack(false, p.a.Embeddings.Output, e, s.lo, s.hi)
}
