package native

import "goalbert/native/kernel"

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

// predictions computes the masked-LM head, at the masked positions only.
func (p *pass[T]) predictions() {
	run(p.pool, p.maskedTiles().count(), predictionRows[T]{*p})
}

func (p *pass[T]) maskedTiles() tiling { return tilesOf(len(p.b.MaskedPositions)) }

// predictionRows is a linear to the embedding size, the activation, a norm, and the tied decoder, which is the word
// embeddings with a bias of its own.
type predictionRows[T kernel.Float] struct{ pass[T] }

func (p *predictionRows[T]) do(_, i int) {
	s, w, a, c := p.maskedTiles().at(i), p.weights, p.a, p.Config
	transform, e := &a.PredictionsActivation, c.EmbeddingSize
	hidden, dense := part(a.MaskedHidden, s, c.HiddenSize), part(a.PredictionsDense, s, e)
	gather(hidden, a.LastHiddenState, p.b.MaskedPositions[s.lo:s.hi], c.HiddenSize)
	w.predictionsDense.forward(dense, hidden)
	activate(c.HiddenAct, part(transform.Sum, s, e), dense)
	w.predictionsLayerNorm.forward(transform, s, c.LayerNormEps)
	w.decoder.forward(part(a.PredictionLogits, s, c.VocabSize), part(transform.Output, s, e))
}

// pooler computes, for each sequence, tanh of a linear of its first token's hidden state.
func (p *pass[T]) pooler() {
	a := p.a
	gather(a.Pooler.FirstHidden, a.LastHiddenState, p.b.Offsets[:p.b.Sequences()], p.Config.HiddenSize)
	p.weights.pooler.forward(a.Pooler.Output, a.Pooler.FirstHidden)
	kernel.Tanh(a.Pooler.Output, a.Pooler.Output)
}

// sentenceOrder computes the classifier of the sentence objective on the pooled output.
func (p *pass[T]) sentenceOrder() {
	copy(p.a.Pooler.Dropped, p.a.Pooler.Output)
	p.dropPooled(p.a.Pooler.Dropped)
	p.weights.sopClassifier.forward(p.a.SOPLogits, p.a.Pooler.Dropped)
}

// classify computes the classifier of a task: on the pooled output where the model has one, else on each hidden state.
func (p *pass[T]) classify() {
	x := p.a.LastHiddenState
	if p.table.Pooler != nil {
		x = p.a.Pooler.Output
	}
	p.weights.classifier.forward(p.a.Logits, x)
}

// dropPooled drops from x (B, H).
func (p *pass[T]) dropPooled(x []T) {
	drop := newDropper[T](p.d, p.b, p.Config.ClassifierDropoutProb, sitePooled, 0)
	if !drop.drops() {
		return
	}
	for i := range p.b.Sequences() {
		row := part(x, span{i, i + 1}, p.Config.HiddenSize)
		drop.row(row, row, i, 0, 0)
	}
}

// takeHeads takes the memory of the heads' gradients.
func (p *backwardPass[T]) takeHeads() {
	arena, e, h, masked := &p.a.arena, p.Config.EmbeddingSize, p.Config.HiddenSize, len(p.b.MaskedPositions)
	p.predictions = predictionGradients[T]{
		dDense: arena.take(masked * e), dMasked: arena.take(masked * h),
		norm:   newNormGradients(arena, p.maskedTiles().count(), e),
		hidden: p.packed(masked, h), output: p.packed(masked, e),
	}
	if p.table.Pooler == nil {
		return
	}
	n := p.b.Sequences()
	p.sentence = sentenceGradients[T]{
		dPooled: arena.take(n * h), dFirst: arena.take(n * h), dropped: p.packed(n, h), first: p.packed(n, h),
	}
}

type sentenceGradients[T kernel.Float] struct {
	dPooled        []T              // (B, H): of the pooled output, and then of the pooler's linear
	dFirst         []T              // (B, H)
	dropped, first kernel.Packed[T] // the inputs of classifier and pooler
}

// sentenceBackward replaces the sentence logits by their gradient, and adds to dHidden and to the gradients of the
// classifier and the pooler.
func (p *backwardPass[T]) sentenceBackward(denominator float64) {
	a, w, g, h, n := p.a, p.weights, &p.sentence, p.Config.HiddenSize, p.b.Sequences()
	crossEntropyBackward(a.SOPLogits, p.b.SentenceLabels, denominator)
	w.sopClassifier.backward(g.dPooled, a.SOPLogits, nil)
	p.dropPooled(g.dPooled)
	kernel.TanhBackward(g.dPooled, g.dPooled, a.Pooler.Output)
	w.pooler.backward(g.dFirst, g.dPooled, nil)
	scatterAdd(p.dHidden, g.dFirst, p.b.Offsets[:n], h)

	g.dropped.Pack(false, a.Pooler.Dropped, h, 0, n)
	g.first.Pack(false, a.Pooler.FirstHidden, h, 0, n)
	gradients := linearGradients[T]{
		{&p.grad.sopClassifier, a.SOPLogits, g.dropped}, {&p.grad.pooler, g.dPooled, g.first},
	}
	run(p.pool, gradients.parts(), gradients)
}

type predictionGradients[T kernel.Float] struct {
	dDense         []T // (M, E)
	dMasked        []T // (M, H)
	norm           normGradients[T]
	hidden, output kernel.Packed[T] // the inputs of dense and decoder
}

// predictionsBackward replaces the prediction logits by their gradient, and adds to dHidden and to the gradients of the
// masked-LM head.
func (p *backwardPass[T]) predictionsBackward(denominator float64) {
	if len(p.b.MaskedPositions) == 0 {
		return
	}
	g := &p.predictions
	g.norm.zero()
	run(p.pool, p.maskedTiles().count(), predictionRowsBackward[T]{p, denominator})
	g.norm.addTo(p.grad.predictionsLayerNorm)
	scatterAdd(p.dHidden, g.dMasked, p.b.MaskedPositions, p.Config.HiddenSize)
	gradients := linearGradients[T]{
		{&p.grad.decoder, p.a.PredictionLogits, g.output}, {&p.grad.predictionsDense, g.dDense, g.hidden},
	}
	run(p.pool, gradients.parts(), gradients)
}

// predictionRowsBackward is the backward pass of predictionRows.
type predictionRowsBackward[T kernel.Float] struct {
	*backwardPass[T]
	denominator float64
}

func (p *predictionRowsBackward[T]) do(_, i int) {
	s, w, a, g, c := p.maskedTiles().at(i), p.weights, p.a, &p.predictions, p.Config
	transform, e, h := &a.PredictionsActivation, c.EmbeddingSize, c.HiddenSize
	dLogits, dDense := part(a.PredictionLogits, s, c.VocabSize), part(g.dDense, s, e)
	crossEntropyBackward(dLogits, p.b.MaskedLabels[s.lo:s.hi], p.denominator)
	w.decoder.backward(dDense, dLogits, nil)
	w.predictionsLayerNorm.backward(g.dDense, &g.norm, i, g.dDense, transform, s)
	activateBackward(c.HiddenAct, dDense, dDense, part(a.PredictionsDense, s, e))
	w.predictionsDense.backward(part(g.dMasked, s, h), dDense, nil)
	g.hidden.Pack(false, part(a.MaskedHidden, s, h), h, s.lo, s.hi)
	g.output.Pack(false, part(transform.Output, s, e), e, s.lo, s.hi)
}
