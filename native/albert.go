package native

import (
	"sync"

	"goalbert/models"
	"goalbert/native/kernel"
)

// Model is an ALBERT in memory. Forward, Infer and Backward only read it, so one Model serves many goroutines, each with
// Activations of its own.
type Model[T kernel.Float] struct {
	Config    models.Config
	table     *models.Parameters
	weights   *parameters[T]
	packs     packs[T]
	backward  sync.Once // makes the copies that only Backward reads
	recompute bool
	frozen    bool // embeddings and encoder are not trained: Backward ends at the head
	pool      *pool
}

// New returns the model of w, which runs on that many threads. A float32 model reads w's own memory, a float64 one a copy,
// and both copies in kernel order: w must not change while the model is used.
func New[T kernel.Float](w *models.Weights, threads int) *Model[T] {
	return newModel[T](w, Options{Threads: threads})
}

func newModel[T kernel.Float](w *models.Weights, o Options) *Model[T] {
	flat, shared := any(w.Data).([]T)
	if !shared {
		flat = make([]T, len(w.Data))
		for i, v := range w.Data {
			flat[i] = T(v)
		}
	}
	m := &Model[T]{
		Config:    w.Config,
		table:     w.Parameters,
		weights:   view(w.Parameters, flat),
		packs:     packs[T]{precision: o.Precision},
		recompute: o.Recompute,
		frozen:    o.Freeze,
		pool:      newPool(o.Threads),
	}
	m.packs.transposed = m.packs.list(m.weights.eachLinear, true)
	m.pack()
	return m
}

// Forward computes a from the batch, for Backward: the encoder, and every head that the model has.
func (m *Model[T]) Forward(a *Activations[T], b *models.Batch, d Dropout) {
	keep := keepAll
	switch {
	case m.frozen:
		keep = keepHead
	case m.recompute:
		keep = keepSums
	}
	m.forward(a, b, d, keep)
}

// Infer computes the outputs of a from the batch, and keeps of the layers no more than the last one's values.
func (m *Model[T]) Infer(a *Activations[T], b *models.Batch) { m.forward(a, b, Dropout{}, keepNone) }

func (m *Model[T]) forward(a *Activations[T], b *models.Batch, d Dropout, keep retention) {
	p := pass[T]{m, a, b, d}
	a.take(&p, keep)
	p.embeddings()
	p.encoder()
	if m.table.Predictions != nil {
		p.predictions()
	}
	if m.table.Pooler != nil {
		p.pooler()
	}
	if m.table.SOPClassifier != nil {
		p.sentenceOrder()
	}
	if m.table.Classifier != nil {
		p.classify()
	}
	if p.compares() {
		p.compare()
	}
}

// pass is one run over a batch. Its work is divided by rows, tokens of the batch: what happens to a row between two
// attentions depends on no other row, and a tile of rows goes through all of it while it is in the cache.
type pass[T kernel.Float] struct {
	*Model[T]
	a *Activations[T]
	b *models.Batch
	d Dropout
}

func (p *pass[T]) tiles() tiling { return tilesOf(p.b.Tokens()) }

// embeddings sets EmbeddingHiddenMapping, and what the first attention reads.
func (p *pass[T]) embeddings() { run(p.pool, p.tiles().count(), embeddingRows[T]{*p}) }

// embeddingRows computes the sum of the word, position and token type embeddings, their norm, dropout, and the linear
// from embedding size to hidden size that factorizes the embedding.
type embeddingRows[T kernel.Float] struct{ pass[T] }

func (p *embeddingRows[T]) do(_, i int) {
	s, w, a, c := p.tiles().at(i), p.weights, p.a, p.Config
	w.sumEmbeddings(a.Embeddings.Sum, p.b, s, c.EmbeddingSize)
	w.embeddingLayerNorm.forward(&a.Embeddings, s, c.LayerNormEps)
	drop := p.dropper(siteEmbeddings, 0)
	drop.tokens(a.Embeddings.Output, a.Embeddings.Output, s, c.EmbeddingSize)
	w.embeddingHiddenMapping.forward(part(a.EmbeddingHiddenMapping, s, c.HiddenSize), part(a.Embeddings.Output, s, c.EmbeddingSize))
	p.queryKeyValue(0, s)
}

// queryKeyValue computes what the attention of use i of a layer reads.
func (p *pass[T]) queryKeyValue(i int, s span) {
	if i == len(p.a.Layers) {
		return
	}
	act, h := &p.a.Layers[i], p.Config.HiddenSize
	p.layerWeights(p.weights, i).queryKeyValue.forward(part(act.QueryKeyValue, s, 3*h), part(act.Input, s, h))
}

// encoder applies the layers one after the other. Each depth uses the weights of its group, which other depths use
// too: in the released models there is one layer, used L times.
func (p *pass[T]) encoder() {
	for i := range p.a.Layers {
		p.attend(i)
		run(p.pool, p.tiles().count(), layerRows[T]{*p, i})
	}
}

// attend computes the context of use i of a layer, from query, key and value.
func (p *pass[T]) attend(i int) {
	act := &p.a.Layers[i]
	at := attentionForward[T]{p.attention(i), act.Context, sideBySide(act.QueryKeyValue, p.Config.HiddenSize)}
	run(p.pool, at.parts(), at)
}

// layerRows is what use i of a layer does with the context: the rest of self-attention, and feed-forward, each with a
// residual and a norm after it.
type layerRows[T kernel.Float] struct {
	pass[T]
	layer int
}

func (p *layerRows[T]) do(worker, i int) {
	s, h := p.tiles().at(i), p.Config.HiddenSize
	w, act := p.layerWeights(p.weights, p.layer), &p.a.Layers[p.layer]

	w.dense.forward(part(act.Dense.Sum, s, h), part(act.Context, s, h))
	p.residual(act.Dense.Sum, act.Input, p.dropper(siteAttentionOutput, p.layer), s)
	w.attentionLayerNorm.forward(&act.Dense, s, p.Config.LayerNormEps)
	p.ffn(p.layer, worker, s)
	p.queryKeyValue(p.layer+1, s)
}

// residual sets rows s of sum = x + drop(sum).
func (p *pass[T]) residual(sum, x []T, drop dropper[T], s span) {
	drop.tokens(sum, sum, s, p.Config.HiddenSize)
	kernel.Add(part(sum, s, p.Config.HiddenSize), part(x, s, p.Config.HiddenSize))
}

// layerWeights returns the layer that use i applies: the (i mod inner)-th of the group of its depth.
func (m *Model[T]) layerWeights(p *parameters[T], i int) *layer[T] {
	inner := m.Config.InnerGroupNum
	return &p.groups[m.Config.LayerGroup(i/inner)][i%inner]
}

// attention returns the self-attention of use i of a layer.
func (p *pass[T]) attention(i int) attention[T] {
	return attention[T]{
		heads: p.Config.NumAttentionHeads, headSize: p.Config.HeadSize(),
		queryOffsets: p.b.Offsets, keyOffsets: p.b.Offsets,
		dropout: newDropper[T](p.d, p.b, p.Config.AttentionProbsDropoutProb, siteAttentionProbs, i),
		scratch: p.a.scores, largest: p.a.largestHead,
	}
}

// dropper returns the dropout of the hidden states at a site of use i of a layer.
func (p *pass[T]) dropper(s site, i int) dropper[T] {
	return newDropper[T](p.d, p.b, p.Config.HiddenDropoutProb, s, i)
}

// AttentionProbs returns the attention probabilities of use i of a layer, before dropout: Σ over the batch's sequences
// of (A, S, S). No pass keeps them. It panics unless a keeps all layers, which it does after Forward without
// Options.Recompute.
func (m *Model[T]) AttentionProbs(a *Activations[T], b *models.Batch, i int) []T {
	if a.keep != keepAll {
		panic("native: AttentionProbs of activations that are not kept")
	}
	p := pass[T]{m, a, b, Dropout{}}
	at, in := p.attention(i), sideBySide(a.Layers[i].QueryKeyValue, m.Config.HiddenSize)
	var probs []T
	for j := range at.parts() {
		probs = append(probs, at.probs(0, at.head(j, in.stride), in)...)
	}
	return probs
}
