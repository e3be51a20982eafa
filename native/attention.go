package native

import (
	"math"

	"goalbert/native/kernel"
)

// attention is scaled dot-product attention of A heads of D columns, sequence by sequence. Queries and keys have
// offsets of their own, so that a decoder can attend to an encoder; in ALBERT both are the batch's.
type attention[T kernel.Float] struct {
	heads, headSize int
	queryOffsets    []int // (B+1)
	keyOffsets      []int // (B+1)
	causal          bool  // query i of a sequence sees its keys 0 to i
	dropout         *dropper[T]
}

// attentionActivations is what backward needs.
type attentionActivations[T kernel.Float] struct {
	Probs   []T // Σ over sequences of (A, S, S): before dropout
	Context []T // (T, H): the heads side by side
}

// projections are attention's three inputs, or their gradients: rows of stride columns, of which the first A·D count.
type projections[T kernel.Float] struct {
	query, key, value []T
	stride            int
}

// sideBySide splits x (T, 3H) into query, key and value.
func sideBySide[T kernel.Float](x []T, hidden int) projections[T] {
	return projections[T]{query: x, key: x[hidden:], value: x[2*hidden:], stride: 3 * hidden}
}

// head is one head of one sequence: its sizes, and where its numbers start.
type head struct {
	sequence, number int
	queries, keys    int // rows
	query, key       int // in a projection
	context          int // in the context
	probs            int // in the probabilities
	row              int // of the first query, in the batch
}

// list returns the heads of all sequences, in the order in which their probabilities lie in memory, and the largest
// number of probabilities that one has.
func (at *attention[T]) list(stride int) (heads []head, largest int) {
	probs := 0
	for b := range len(at.queryOffsets) - 1 {
		q, k := at.queryOffsets[b], at.keyOffsets[b]
		queries, keys := at.queryOffsets[b+1]-q, at.keyOffsets[b+1]-k
		for number := range at.heads {
			column := number * at.headSize
			heads = append(heads, head{
				sequence: b, number: number, queries: queries, keys: keys,
				query: q*stride + column, key: k*stride + column, context: q*at.heads*at.headSize + column,
				probs: probs, row: q,
			})
			probs += queries * keys
		}
		largest = max(largest, queries*keys)
	}
	return heads, largest
}

// probsSize returns the number of attention probabilities of a batch.
func probsSize(queryOffsets, keyOffsets []int, heads int) int {
	size := 0
	for b := range len(queryOffsets) - 1 {
		size += heads * (queryOffsets[b+1] - queryOffsets[b]) * (keyOffsets[b+1] - keyOffsets[b])
	}
	return size
}

// forward sets, for each sequence and head,
//
//	probs = softmax(query·keyᵀ/√D)    context = drop(probs)·value
func (at *attention[T]) forward(p *pool, a *arena[T], act attentionActivations[T], in projections[T]) {
	heads, largest := at.list(in.stride)
	mark := a.mark()
	scratch := a.take(p.threads * largest)
	width := at.heads * at.headSize
	p.run(len(heads), func(worker, i int) {
		h := heads[i]
		d := at.headSize
		probs := act.Probs[h.probs:][:h.queries*h.keys]
		kernel.Gemm(false, true, h.queries, h.keys, d, 1, in.query[h.query:], in.stride,
			in.key[h.key:], in.stride, 0, probs, h.keys)
		at.hideFuture(probs, h)
		kernel.Softmax(probs, probs, h.keys, at.scale())
		dropped := at.drop(scratch[worker*largest:][:len(probs)], probs, h)
		kernel.Gemm(false, false, h.queries, d, h.keys, 1, dropped, h.keys,
			in.value[h.key:], in.stride, 0, act.Context[h.context:], width)
	})
	a.release(mark)
}

// backward adds to the gradients of query, key and value, given that of the context (T, H).
//
//	dValue += drop(probs)ᵀ·dContext       dProbs = drop(dContext·valueᵀ)
//	dScores = probs∘(dProbs − Σ probs∘dProbs)/√D
//	dQuery += dScores·key                 dKey += dScoresᵀ·query
func (at *attention[T]) backward(p *pool, a *arena[T], d projections[T], dContext []T, act attentionActivations[T], in projections[T]) {
	heads, largest := at.list(in.stride)
	mark := a.mark()
	scratch := a.take(p.threads * 2 * largest)
	width := at.heads * at.headSize
	p.run(len(heads), func(worker, i int) {
		h := heads[i]
		size := at.headSize
		n := h.queries * h.keys
		probs := act.Probs[h.probs:][:n]
		dProbs := scratch[2*worker*largest:][:n]
		dScores := scratch[(2*worker+1)*largest:][:n]

		dropped := at.drop(dScores, probs, h)
		kernel.Gemm(true, false, h.keys, size, h.queries, 1, dropped, h.keys,
			dContext[h.context:], width, 1, d.value[h.key:], d.stride)
		kernel.Gemm(false, true, h.queries, h.keys, size, 1, dContext[h.context:], width,
			in.value[h.key:], in.stride, 0, dProbs, h.keys)
		at.drop(dProbs, dProbs, h)
		clear(dScores)
		kernel.SoftmaxBackward(dScores, dProbs, probs, h.keys, at.scale())
		kernel.Gemm(false, false, h.queries, size, h.keys, 1, dScores, h.keys,
			in.key[h.key:], in.stride, 1, d.query[h.query:], d.stride)
		kernel.Gemm(true, false, h.keys, size, h.queries, 1, dScores, h.keys,
			in.query[h.query:], in.stride, 1, d.key[h.key:], d.stride)
	})
	a.release(mark)
}

func (at *attention[T]) scale() T { return T(1 / math.Sqrt(float64(at.headSize))) }

// hideFuture gives the scores of keys that come after their query no weight.
func (at *attention[T]) hideFuture(scores []T, h head) {
	if !at.causal {
		return
	}
	for query := range h.queries {
		for key := query + 1; key < h.keys; key++ {
			scores[query*h.keys+key] = T(math.Inf(-1))
		}
	}
}

// drop returns probs after dropout: in out, or probs itself where nothing is dropped.
func (at *attention[T]) drop(out, probs []T, h head) []T {
	if at.dropout == nil {
		return probs
	}
	column := h.number * (h.keys + 3) / 4 * 4
	for query := range h.queries {
		lo, hi := query*h.keys, (query+1)*h.keys
		position := int(at.dropout.batch.PositionIDs[h.row+query])
		at.dropout.row(out[lo:hi], probs[lo:hi], h.sequence, position, column)
	}
	return out
}
