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
func (p *pass[T]) sentenceOrder() { p.classifyPooled(&p.weights.sopClassifier, p.a.SOPLogits) }

// classify computes the classifier of a task: on the pooled output where the model has one, else on each hidden state.
func (p *pass[T]) classify() {
	if p.table.Pooler != nil {
		p.classifyPooled(&p.weights.classifier, p.a.Logits)
		return
	}
	run(p.pool, p.tiles().count(), tokenRows[T]{*p})
}

// classifyPooled computes a classifier on the pooled output after dropout.
func (p *pass[T]) classifyPooled(classifier *linear[T], logits []T) {
	copy(p.a.Pooler.Dropped, p.a.Pooler.Output)
	p.dropPooled(p.a.Pooler.Dropped)
	classifier.forward(logits, p.a.Pooler.Dropped)
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

// tokenRows is a classifier on each hidden state after dropout.
type tokenRows[T kernel.Float] struct{ pass[T] }

func (p *tokenRows[T]) do(_, i int) {
	s, h, l := p.tiles().at(i), p.Config.HiddenSize, &p.weights.classifier
	drop := p.tokenDropper()
	drop.tokens(p.a.DroppedHidden, p.a.LastHiddenState, s, h)
	l.forward(part(p.a.Logits, s, l.out()), part(p.classified(), s, h))
}

// tokenDropper returns the dropout before a classifier of tokens. transformers has none before where an answer is.
func (p *pass[T]) tokenDropper() dropper[T] {
	if p.Config.Architecture == models.ForQuestionAnswering {
		return dropper[T]{}
	}
	return newDropper[T](p.d, p.b, p.Config.ClassifierDropoutProb, siteTokens, 0)
}

// classified returns what a classifier of tokens reads (T, H).
func (p *pass[T]) classified() []T {
	if p.a.DroppedHidden != nil {
		return p.a.DroppedHidden
	}
	return p.a.LastHiddenState
}

// takeHeads takes the memory of the heads' gradients.
func (p *backwardPass[T]) takeHeads() {
	arena, e, h, masked := &p.a.arena, p.Config.EmbeddingSize, p.Config.HiddenSize, len(p.b.MaskedPositions)
	p.predictions = predictionGradients[T]{
		dDense: arena.take(masked * e), dMasked: arena.take(masked * h),
		norm:   newNormGradients(arena, p.maskedTiles().count(), e),
		hidden: p.packed(masked, h), output: p.packed(masked, e),
	}
	n := p.b.Sequences()
	switch {
	case p.compares():
		p.sentences = sentenceGradients[T]{dUnit: arena.take(n * h)}
	case p.table.Pooler != nil:
		p.pooled = pooledGradients[T]{
			dPooled: arena.take(n * h), dFirst: arena.take(n * h), dropped: p.packed(n, h), first: p.packed(n, h),
		}
	case p.table.Classifier != nil && p.frozen:
		p.tokens = p.packed(p.b.Tokens(), h)
	case p.table.Classifier != nil:
		p.tokens = p.input // which is free until the last layer's turn
	}
}

// taskBackward replaces the logits of a task by the gradient of its loss, and adds to dHidden and to the gradients of the
// head.
func (p *backwardPass[T]) taskBackward(denominator float64) {
	if !p.taskLossBackward(p.a, p.b, denominator) {
		return
	}
	switch {
	case p.table.Classifier == nil:
		p.compareBackward()
	case p.table.Pooler != nil:
		p.pooledBackward(&p.weights.classifier, &p.grad.classifier, p.a.Logits)
	default:
		run(p.pool, p.tiles().count(), tokenRowsBackward[T]{p})
		gradients := linearGradients[T]{{&p.grad.classifier, p.a.Logits, p.tokens}}
		run(p.pool, gradients.parts(), gradients)
	}
}

// tokenRowsBackward is the backward pass of tokenRows.
type tokenRowsBackward[T kernel.Float] struct{ *backwardPass[T] }

func (p *tokenRowsBackward[T]) do(_, i int) {
	s, h, l := p.tiles().at(i), p.Config.HiddenSize, &p.weights.classifier
	p.tokens.Pack(false, part(p.classified(), s, h), h, s.lo, s.hi)
	if p.frozen {
		return
	}
	l.backward(part(p.dHidden, s, h), part(p.a.Logits, s, l.out()), nil)
	drop := p.tokenDropper()
	drop.tokens(p.dHidden, p.dHidden, s, h)
}

// sentenceBackward replaces the sentence logits by their gradient, and adds to dHidden and to the gradients of the
// classifier and the pooler.
func (p *backwardPass[T]) sentenceBackward(denominator float64) {
	crossEntropyBackward(p.a.SOPLogits, p.b.SentenceLabels, nil, denominator)
	p.pooledBackward(&p.weights.sopClassifier, &p.grad.sopClassifier, p.a.SOPLogits)
}

type pooledGradients[T kernel.Float] struct {
	dPooled        []T              // (B, H): of the pooled output, and then of the pooler's linear
	dFirst         []T              // (B, H)
	dropped, first kernel.Packed[T] // the inputs of classifier and pooler
}

// pooledBackward is the backward pass of classifyPooled and of the pooler, given the gradient of the logits.
func (p *backwardPass[T]) pooledBackward(classifier, dClassifier *linear[T], dLogits []T) {
	a, g, h, n := p.a, &p.pooled, p.Config.HiddenSize, p.b.Sequences()
	classifier.backward(g.dPooled, dLogits, nil)
	p.dropPooled(g.dPooled)
	kernel.TanhBackward(g.dPooled, g.dPooled, a.Pooler.Output)
	if !p.frozen {
		p.weights.pooler.backward(g.dFirst, g.dPooled, nil)
		scatterAdd(p.dHidden, g.dFirst, p.b.Offsets[:n], h)
	}
	g.dropped.Pack(false, a.Pooler.Dropped, h, 0, n)
	g.first.Pack(false, a.Pooler.FirstHidden, h, 0, n)
	gradients := linearGradients[T]{{dClassifier, dLogits, g.dropped}, {&p.grad.pooler, g.dPooled, g.first}}
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
	crossEntropyBackward(dLogits, p.b.MaskedLabels[s.lo:s.hi], nil, p.denominator)
	w.decoder.backward(dDense, dLogits, nil)
	w.predictionsLayerNorm.backward(g.dDense, &g.norm, i, g.dDense, transform, s)
	activateBackward(c.HiddenAct, dDense, dDense, part(a.PredictionsDense, s, e))
	w.predictionsDense.backward(part(g.dMasked, s, h), dDense, nil)
	g.hidden.Pack(false, part(a.MaskedHidden, s, h), h, s.lo, s.hi)
	g.output.Pack(false, part(transform.Output, s, e), e, s.lo, s.hi)
}
