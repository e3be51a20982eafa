package native

import (
	"goalbert/models"
	"goalbert/native/kernel"
)

// Model is an ALBERT in memory. Forward and Backward only read it, so one Model serves many goroutines, each with
// Activations of its own.
type Model[T kernel.Float] struct {
	Config  models.Config
	table   *models.Parameters
	weights *parameters[T]
	pool    *pool
}

// New returns the model of w, which runs on that many threads. A float32 model reads w's own memory; a float64 one a
// copy.
func New[T kernel.Float](w *models.Weights, threads int) *Model[T] {
	flat, shared := any(w.Data).([]T)
	if !shared {
		flat = make([]T, len(w.Data))
		for i, v := range w.Data {
			flat[i] = T(v)
		}
	}
	return &Model[T]{
		Config:  w.Config,
		table:   w.Parameters,
		weights: view(w.Parameters, flat),
		pool:    &pool{threads: max(1, threads)},
	}
}

// Forward computes a from the batch: the encoder, and every head that the model has.
func (m *Model[T]) Forward(a *Activations[T], b *models.Batch, d Dropout) {
	a.take(m, b)
	m.embeddings(a, b, d)
	m.encoder(a, b, d)
	m.predictions(a, b)
	if m.table.Pooler != nil {
		m.pooler(a, b)
		m.sentenceOrder(a, m.pooledDropper(b, d))
	}
}

// embeddings sets a.EmbeddingHiddenMapping (T, H): the sum of the word, position and token type embeddings, their
// norm, dropout, and the linear from embedding size to hidden size that factorizes the embedding.
func (m *Model[T]) embeddings(a *Activations[T], b *models.Batch, d Dropout) {
	w, e := m.weights, m.Config.EmbeddingSize
	w.sumEmbeddings(m.pool, a.Embeddings.Sum, b, e)
	w.embeddingLayerNorm.forward(m.pool, &a.Embeddings, m.Config.LayerNormEps)
	if drop := m.dropper(b, d, siteEmbeddings, 0); drop != nil {
		drop.tokens(m.pool, a.Embeddings.Output, a.Embeddings.Output, e)
	}
	w.embeddingHiddenMapping.forward(m.pool, a.EmbeddingHiddenMapping, a.Embeddings.Output)
}

// encoder applies the layers one after the other. Each depth uses the weights of its group, which other depths use
// too: in the released models there is one layer, used L times.
func (m *Model[T]) encoder(a *Activations[T], b *models.Batch, d Dropout) {
	hidden := a.EmbeddingHiddenMapping
	for i := range a.Layers {
		a.Layers[i].Input = hidden
		m.layer(a, i, b, d)
		hidden = a.Layers[i].FullLayer.Output
	}
	a.LastHiddenState = hidden
}

// layer is the i-th use of a layer: self-attention and feed-forward, each with a residual and a norm after it.
func (m *Model[T]) layer(a *Activations[T], i int, b *models.Batch, d Dropout) {
	w, act, h := m.layerWeights(m.weights, i), &a.Layers[i], m.Config.HiddenSize
	mark := a.arena.mark()
	y := a.arena.take(len(act.Input))

	w.queryKeyValue.forward(m.pool, act.QueryKeyValue, act.Input)
	m.attention(b, d, i).forward(m.pool, &a.arena, act.Attention, sideBySide(act.QueryKeyValue, h))
	w.dense.forward(m.pool, y, act.Attention.Context)
	residual(m.pool, m.dropper(b, d, siteAttentionOutput, i), act.Dense.Sum, act.Input, y, h)
	w.attentionLayerNorm.forward(m.pool, &act.Dense, m.Config.LayerNormEps)

	w.ffnForward(m.pool, m.Config.HiddenAct, y, act, act.Dense.Output)
	residual(m.pool, m.dropper(b, d, siteFFNOutput, i), act.FullLayer.Sum, act.Dense.Output, y, h)
	w.fullLayerLayerNorm.forward(m.pool, &act.FullLayer, m.Config.LayerNormEps)
	a.arena.release(mark)
}

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
//
// for the batch of the last Forward, which must have been run with the same dropout.
func (m *Model[T]) Backward(g *Gradient[T], a *Activations[T], b *models.Batch, d Dropout, denominators models.Denominators) {
	mark := a.arena.mark()
	grad := g.parameters
	dHidden := a.arena.zeroed(len(a.LastHiddenState))
	if m.table.Pooler != nil && b.SentenceLabels != nil {
		dPooled := a.arena.zeroed(len(a.Pooler.Output))
		crossEntropyBackward(m.pool, a.SOPLogits, b.SentenceLabels, denominators.Sentences)
		m.sentenceOrderBackward(dPooled, grad, a, m.pooledDropper(b, d))
		m.poolerBackward(dHidden, grad, dPooled, a, b)
	}
	crossEntropyBackward(m.pool, a.PredictionLogits, b.MaskedLabels, denominators.MaskedTokens)
	m.predictionsBackward(dHidden, grad, a, b)
	dHidden = m.encoderBackward(grad, dHidden, a, b, d)
	m.embeddingsBackward(grad, dHidden, a, b, d)
	a.arena.release(mark)
}

// encoderBackward returns the gradient of the first layer's input. The shared layer's gradient is the sum over its
// uses: each adds to the same tensors.
func (m *Model[T]) encoderBackward(grad *parameters[T], dHidden []T, a *Activations[T], b *models.Batch, d Dropout) []T {
	dInput := a.arena.take(len(dHidden))
	for i := len(a.Layers) - 1; i >= 0; i-- {
		clear(dInput)
		m.layerBackward(dInput, grad, dHidden, a, i, b, d)
		dInput, dHidden = dHidden, dInput
	}
	return dHidden
}

// layerBackward adds to dInput and to the gradient of the layer that use i applies, given that of its output.
func (m *Model[T]) layerBackward(dInput []T, grad *parameters[T], dOutput []T, a *Activations[T], i int, b *models.Batch, d Dropout) {
	w, act, h := m.layerWeights(m.weights, i), &a.Layers[i], m.Config.HiddenSize
	dw := m.layerWeights(grad, i)
	mark := a.arena.mark()

	// The residual sends the gradient of a sum to both of its terms: here dSum is first that of the sum, and then,
	// with what comes through the other term added, that of the input.
	dSum := a.arena.zeroed(len(dOutput))
	w.fullLayerLayerNorm.backward(m.pool, &a.arena, dSum, dw.fullLayerLayerNorm, dOutput, &act.FullLayer)
	dFFNOutput := residualBackward(m.pool, &a.arena, m.dropper(b, d, siteFFNOutput, i), dSum, h)
	w.ffnBackward(m.pool, &a.arena, m.Config.HiddenAct, dSum, dw, dFFNOutput, act, act.Dense.Output)

	w.attentionLayerNorm.backward(m.pool, &a.arena, dInput, dw.attentionLayerNorm, dSum, &act.Dense)
	dDense := residualBackward(m.pool, &a.arena, m.dropper(b, d, siteAttentionOutput, i), dInput, h)
	dContext := a.arena.zeroed(len(act.Attention.Context))
	w.dense.backward(m.pool, dContext, dw.dense, dDense, act.Attention.Context)
	dQueryKeyValue := a.arena.zeroed(len(act.QueryKeyValue))
	m.attention(b, d, i).backward(m.pool, &a.arena, sideBySide(dQueryKeyValue, h), dContext,
		act.Attention, sideBySide(act.QueryKeyValue, h))
	w.queryKeyValue.backward(m.pool, dInput, dw.queryKeyValue, dQueryKeyValue, act.Input)
	a.arena.release(mark)
}

// embeddingsBackward adds to the gradients of the mapping, the norm and the three tables.
func (m *Model[T]) embeddingsBackward(grad *parameters[T], dHidden []T, a *Activations[T], b *models.Batch, d Dropout) {
	w, e := m.weights, m.Config.EmbeddingSize
	mark := a.arena.mark()
	dEmbeddings := a.arena.zeroed(len(a.Embeddings.Output))
	w.embeddingHiddenMapping.backward(m.pool, dEmbeddings, grad.embeddingHiddenMapping, dHidden, a.Embeddings.Output)
	if drop := m.dropper(b, d, siteEmbeddings, 0); drop != nil {
		drop.tokens(m.pool, dEmbeddings, dEmbeddings, e)
	}
	dSum := a.arena.zeroed(len(dEmbeddings))
	w.embeddingLayerNorm.backward(m.pool, &a.arena, dSum, grad.embeddingLayerNorm, dEmbeddings, &a.Embeddings)
	grad.sumEmbeddingsBackward(dSum, b, e, m.Config.PadTokenID)
	a.arena.release(mark)
}

// layerWeights returns the layer that use i applies: the (i mod inner)-th of the group of its depth.
func (m *Model[T]) layerWeights(p *parameters[T], i int) *layer[T] {
	inner := m.Config.InnerGroupNum
	return &p.groups[m.Config.LayerGroup(i/inner)][i%inner]
}

// attention returns the self-attention of use i of a layer.
func (m *Model[T]) attention(b *models.Batch, d Dropout, i int) *attention[T] {
	return &attention[T]{
		heads: m.Config.NumAttentionHeads, headSize: m.Config.HeadSize(),
		queryOffsets: b.Offsets, keyOffsets: b.Offsets,
		dropout: newDropper[T](d, b, m.Config.AttentionProbsDropoutProb, siteAttentionProbs, i),
	}
}

// dropper returns the dropout of the hidden states at a site of use i of a layer.
func (m *Model[T]) dropper(b *models.Batch, d Dropout, s site, i int) *dropper[T] {
	return newDropper[T](d, b, m.Config.HiddenDropoutProb, s, i)
}

func (m *Model[T]) pooledDropper(b *models.Batch, d Dropout) *dropper[T] {
	return newDropper[T](d, b, m.Config.ClassifierDropoutProb, sitePooled, 0)
}
