package native

import (
	"goalbert/models"
	"goalbert/native/kernel"
)

// Gradient is the derivative of the loss by every parameter, in the table's flat order. Backward adds to it.
type Gradient[T kernel.Float] struct{ parameters *parameters[T] }

// NewGradient returns a gradient of m, zero.
func NewGradient[T kernel.Float](m *Model[T]) *Gradient[T] {
	return &Gradient[T]{view(m.table, make([]T, m.table.Size))}
}

// Flat returns the numbers of g, without a copy.
func (g *Gradient[T]) Flat() []T { return g.parameters.flat }

// Backward adds to g the gradient of
//
//	Σ masked-LM cross-entropy / denominators.MaskedTokens + Σ sentence cross-entropy / denominators.Sentences
//		+ Σ loss of the task / denominators.Labels
//
// for the batch of the last Forward, which must have been run with the same dropout. Of a frozen model it is that of the
// head alone. It panics after Infer.
func (m *Model[T]) Backward(g *Gradient[T], a *Activations[T], b *models.Batch, d Dropout, denominators models.Denominators) {
	if a.keep == keepNone {
		panic("native: Backward after Infer, which keeps nothing for it")
	}
	m.packBackward()
	p := &a.backward
	p.pass, p.grad = pass[T]{m, a, b, d}, g.parameters
	if !p.drops() {
		p.dFFNOutput, p.dDense = p.dFullLayer, p.dAttention
	}
	clear(p.dHidden)
	if m.table.SOPClassifier != nil && b.SentenceLabels != nil {
		p.sentenceBackward(denominators.Sentences)
	}
	p.predictionsBackward(denominators.MaskedTokens)
	p.taskBackward(denominators.Labels)
	if m.frozen {
		return
	}
	p.encoderBackward()
	p.embeddingsBackward()
}

// backwardPass is the memory of a backward pass: that of the gradients of one layer, which the depths use one after the
// other, of the packed inputs of its linears, and of the heads and embeddings.
type backwardPass[T kernel.Float] struct {
	pass[T]
	grad *parameters[T]

	dHidden        []T // (T, H): of a layer's output, and in the end of its input
	dFullLayer     []T // (T, H): of the sum before full_layer_layer_norm
	dFFNOutput     []T // (T, H): of ffn_output: dFullLayer after dropout
	dFFN           []T // (T, I)
	dAttention     []T // (T, H): of the sum before attention.LayerNorm; in the place of dHidden
	dDense         []T // (T, H): of dense: dAttention after dropout
	dContext       []T // (T, H)
	dQueryKeyValue []T // (T, 3H)

	input, context, denseOutput, ffnActivation kernel.Packed[T]
	attentionNorm, fullLayerNorm               normGradients[T]

	pooled      pooledGradients[T]
	predictions predictionGradients[T]
	tokens      kernel.Packed[T] // the input of a classifier of tokens
	sentences   sentenceGradients[T]
	embeddings  embeddingGradients[T]
}

// take takes the memory that the backward pass of p needs.
func (g *backwardPass[T]) take(p *pass[T]) {
	g.pass = *p
	defer g.takeHeads()
	if p.frozen {
		return
	}
	t, e, h, arena := p.b.Tokens(), p.Config.EmbeddingSize, p.Config.HiddenSize, &p.a.arena
	g.dHidden = arena.take(t * h)
	g.dAttention = g.dHidden
	g.dFFN, g.dQueryKeyValue = arena.take(t*p.Config.IntermediateSize), arena.take(t*3*h)
	if g.drops() {
		g.dFFNOutput, g.dDense = arena.take(t*h), arena.take(t*h)
	}
	if p.a.keep == keepAll {
		g.dFullLayer, g.dContext = arena.take(t*h), arena.take(t*h)
	} else { // in the place of a layer's input and context, once they are packed
		g.dFullLayer, g.dContext = p.a.Layers[0].FullLayer.Output, p.a.Layers[0].Context
	}
	g.input, g.context, g.denseOutput = g.packed(t, h), g.packed(t, h), g.packed(t, h)
	g.ffnActivation = g.packed(t, p.Config.IntermediateSize)
	tiles := p.tiles().count()
	g.attentionNorm, g.fullLayerNorm = newNormGradients(arena, tiles, h), newNormGradients(arena, tiles, h)
	g.embeddings = embeddingGradients[T]{arena.take(t * e), g.packed(t, e), newNormGradients(arena, tiles, e)}
}

// drops says whether gradients of the hidden states before and after dropout differ.
func (p *backwardPass[T]) drops() bool { return p.d.Enabled && p.Config.HiddenDropoutProb > 0 }

// packed returns memory for rows of an input, packed to multiply a gradient with.
func (p *backwardPass[T]) packed(rows, columns int) kernel.Packed[T] {
	precision := p.packs.precision
	memory := p.a.arena.take(kernel.PackedSize[T](precision, rows, columns))
	if memory == nil { // it is only counted
		return kernel.Packed[T]{}
	}
	return kernel.NewPacked(precision, rows, columns, memory)
}

// encoderBackward makes of the gradient of the last layer's output that of the first one's input. The shared layer's
// gradient is the sum over its uses: each adds to the same tensors.
func (p *backwardPass[T]) encoderBackward() {
	for i := len(p.a.Layers) - 1; i >= 0; i-- {
		p.layerBackward(i)
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
	p.attentionNorm.zero()
	p.fullLayerNorm.zero()
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

func (p *layerRowsBackward[T]) do(worker, i int) {
	s, h := p.tiles().at(i), p.Config.HiddenSize
	w, act := p.layerWeights(p.weights, p.layer), &p.a.Layers[p.layer]
	p.context.Pack(false, part(act.Context, s, h), h, s.lo, s.hi)
	p.input.Pack(false, part(act.Input, s, h), h, s.lo, s.hi)
	p.ffnBackward(p.layer, worker, i, s)

	w.attentionLayerNorm.backward(p.dAttention, &p.attentionNorm, i, p.dAttention, &act.Dense, s)
	drop := p.dropper(siteAttentionOutput, p.layer)
	drop.tokens(p.dDense, p.dAttention, s, h)
	w.dense.backward(part(p.dContext, s, h), part(p.dDense, s, h), nil)
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
	g := &p.embeddings
	g.norm.zero()
	run(p.pool, p.tiles().count(), embeddingRowsBackward[T]{p})
	g.norm.addTo(p.grad.embeddingLayerNorm)
	mapping := linearGradients[T]{{&p.grad.embeddingHiddenMapping, p.dHidden, g.output}}
	run(p.pool, mapping.parts(), mapping)
	p.grad.sumEmbeddingsBackward(g.dSum, p.b, p.Config.EmbeddingSize, p.Config.PadTokenID)
}

type embeddingGradients[T kernel.Float] struct {
	dSum   []T              // (T, E)
	output kernel.Packed[T] // the input of the mapping
	norm   normGradients[T]
}

// embeddingRowsBackward is the backward pass of embeddingRows.
type embeddingRowsBackward[T kernel.Float] struct{ *backwardPass[T] }

func (p *embeddingRowsBackward[T]) do(_, i int) {
	s, w, g, e, h := p.tiles().at(i), p.weights, &p.embeddings, p.Config.EmbeddingSize, p.Config.HiddenSize
	w.embeddingHiddenMapping.backward(part(g.dSum, s, e), part(p.dHidden, s, h), nil)
	drop := p.dropper(siteEmbeddings, 0)
	drop.tokens(g.dSum, g.dSum, s, e)
	w.embeddingLayerNorm.backward(g.dSum, &g.norm, i, g.dSum, &p.a.Embeddings, s)
	g.output.Pack(false, part(p.a.Embeddings.Output, s, e), e, s.lo, s.hi)
}
