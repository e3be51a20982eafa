package native

import (
	"goalbert/models"
	"goalbert/native/kernel"
)

// gather copies to out (n, columns) the rows of x that rows names; scatterAdd is its backward.
func gather[T kernel.Float, I int | int32](out, x []T, rows []I, columns int) {
	for i, row := range rows {
		copy(out[i*columns:(i+1)*columns], x[int(row)*columns:])
	}
}

func scatterAdd[T kernel.Float, I int | int32](dX, dOut []T, rows []I, columns int) {
	for i, row := range rows {
		kernel.Add(dX[int(row)*columns:][:columns], dOut[i*columns:(i+1)*columns])
	}
}

// pooler computes, for each sequence, tanh of a linear of its first token's hidden state.
func (m *Model[T]) pooler(a *Activations[T], b *models.Batch) {
	first := b.Offsets[:b.Sequences()]
	gather(a.Pooler.FirstHidden, a.LastHiddenState, first, m.Config.HiddenSize)
	m.weights.pooler.forward(m.pool, a.Pooler.Output, a.Pooler.FirstHidden)
	kernel.Tanh(a.Pooler.Output, a.Pooler.Output)
}

func (m *Model[T]) poolerBackward(dHidden []T, d *parameters[T], dOutput []T, a *Activations[T], b *models.Batch) {
	mark := a.arena.mark()
	dLinear := a.arena.zeroed(len(dOutput))
	kernel.TanhBackward(dLinear, dOutput, a.Pooler.Output)
	dFirst := a.arena.zeroed(len(dOutput))
	m.weights.pooler.backward(m.pool, dFirst, d.pooler, dLinear, a.Pooler.FirstHidden)
	scatterAdd(dHidden, dFirst, b.Offsets[:b.Sequences()], m.Config.HiddenSize)
	a.arena.release(mark)
}

// predictions is the masked-LM head, at the masked positions only: a linear to the embedding size, the activation, a
// norm, and the tied decoder, which is the word embeddings with a bias of its own.
func (m *Model[T]) predictions(a *Activations[T], b *models.Batch) {
	w := m.weights
	transform := &a.PredictionsActivation
	gather(a.MaskedHidden, a.LastHiddenState, b.MaskedPositions, m.Config.HiddenSize)
	w.predictionsDense.forward(m.pool, a.PredictionsDense, a.MaskedHidden)
	activate(m.pool, m.Config.HiddenAct, transform.Sum, a.PredictionsDense, m.Config.EmbeddingSize)
	w.predictionsLayerNorm.forward(m.pool, transform, m.Config.LayerNormEps)
	m.decoder(w).forward(m.pool, a.PredictionLogits, transform.Output)
}

// predictionsBackward expects the gradient of the logits in their place.
func (m *Model[T]) predictionsBackward(dHidden []T, d *parameters[T], a *Activations[T], b *models.Batch) {
	w := m.weights
	transform := &a.PredictionsActivation
	mark := a.arena.mark()
	dOutput := a.arena.zeroed(len(transform.Output))
	m.decoder(w).backward(m.pool, dOutput, m.decoder(d), a.PredictionLogits, transform.Output)
	dActivation := a.arena.zeroed(len(transform.Sum))
	w.predictionsLayerNorm.backward(m.pool, &a.arena, dActivation, d.predictionsLayerNorm, dOutput, transform)
	dDense := a.arena.zeroed(len(a.PredictionsDense))
	activateBackward(m.pool, m.Config.HiddenAct, dDense, dActivation, a.PredictionsDense, m.Config.EmbeddingSize)
	dMasked := a.arena.zeroed(len(a.MaskedHidden))
	w.predictionsDense.backward(m.pool, dMasked, d.predictionsDense, dDense, a.MaskedHidden)
	scatterAdd(dHidden, dMasked, b.MaskedPositions, m.Config.HiddenSize)
	a.arena.release(mark)
}

// decoder is the word embeddings as a linear to the vocabulary.
func (m *Model[T]) decoder(p *parameters[T]) linear[T] {
	return linear[T]{weight: p.word, bias: p.predictionsBias}
}

// sentenceOrder is the classifier of the sentence objective on the pooled output.
func (m *Model[T]) sentenceOrder(a *Activations[T], drop *dropper[T]) {
	copy(a.Pooler.Dropped, a.Pooler.Output)
	m.dropPooled(drop, a.Pooler.Dropped)
	m.weights.sopClassifier.forward(m.pool, a.SOPLogits, a.Pooler.Dropped)
}

// sentenceOrderBackward expects the gradient of the logits in their place.
func (m *Model[T]) sentenceOrderBackward(dPooled []T, d *parameters[T], a *Activations[T], drop *dropper[T]) {
	m.weights.sopClassifier.backward(m.pool, dPooled, d.sopClassifier, a.SOPLogits, a.Pooler.Dropped)
	m.dropPooled(drop, dPooled)
}

func (m *Model[T]) dropPooled(drop *dropper[T], x []T) {
	if drop == nil {
		return
	}
	h := m.Config.HiddenSize
	for b := range drop.batch.Sequences() {
		drop.row(x[b*h:(b+1)*h], x[b*h:(b+1)*h], b, 0, 0)
	}
}
