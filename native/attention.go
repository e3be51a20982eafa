package native

import (
	"math"

	"goalbert/native/kernel"
)

// attention is scaled dot-product attention of A heads of D columns, sequence by sequence. Queries and keys have
// offsets of their own, so that a decoder can attend to an encoder; in ALBERT both are the batch's.
//
// A part of the work is one head of one sequence, whose probabilities (S, S) fit the second-level cache. They are not
// kept for the backward pass, which computes them again from query and key.
type attention[T kernel.Float] struct {
	heads, headSize int
	queryOffsets    []int // (B+1)
	keyOffsets      []int // (B+1)
	causal          bool  // query i of a sequence sees its keys 0 to i
	dropout         dropper[T]
	scratch         []T // of all workers
	largest         int // probabilities that a head has at most
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
	row              int // of the first query, in the batch
}

// parts is the number of heads of all sequences.
func (at *attention[T]) parts() int { return (len(at.queryOffsets) - 1) * at.heads }

// head returns the i-th, sequence by sequence.
func (at *attention[T]) head(i, stride int) head {
	b, number := i/at.heads, i%at.heads
	q, k, column := at.queryOffsets[b], at.keyOffsets[b], number*at.headSize
	return head{
		sequence: b, number: number, queries: at.queryOffsets[b+1] - q, keys: at.keyOffsets[b+1] - k,
		query: q*stride + column, key: k*stride + column, context: q*at.heads*at.headSize + column, row: q,
	}
}

// largestHead returns the most probabilities that a head has.
func largestHead(queryOffsets, keyOffsets []int) int {
	n := 0
	for b := range len(queryOffsets) - 1 {
		n = max(n, (queryOffsets[b+1]-queryOffsets[b])*(keyOffsets[b+1]-keyOffsets[b]))
	}
	return n
}

// matrices is how many of probabilities a worker needs room for.
const matrices = 3

// room returns a worker's matrix number j of n probabilities.
func (at *attention[T]) room(worker, j, n int) []T {
	return at.scratch[(matrices*worker+j)*at.largest:][:n]
}

// probs returns softmax(query·keyᵀ/√D) (S, S) of a head.
func (at *attention[T]) probs(worker int, h head, in projections[T]) []T {
	probs := at.room(worker, 0, h.queries*h.keys)
	kernel.Gemm(false, true, h.queries, h.keys, at.headSize, 1, in.query[h.query:], in.stride,
		in.key[h.key:], in.stride, 0, probs, h.keys)
	at.hideFuture(probs, h)
	kernel.Softmax(probs, probs, h.keys, at.scale())
	return probs
}

// attentionForward sets, for each sequence and head,
//
//	probs = softmax(query·keyᵀ/√D)    context = drop(probs)·value
type attentionForward[T kernel.Float] struct {
	attention[T]
	context []T // (T, H): the heads side by side
	in      projections[T]
}

func (at *attentionForward[T]) do(worker, i int) {
	h, width := at.head(i, at.in.stride), at.heads*at.headSize
	dropped := at.drop(at.room(worker, 1, h.queries*h.keys), at.probs(worker, h, at.in), h)
	kernel.Gemm(false, false, h.queries, at.headSize, h.keys, 1, dropped, h.keys,
		at.in.value[h.key:], at.in.stride, 0, at.context[h.context:], width)
}

// attentionBackward sets the gradients of query, key and value, given that of the context (T, H):
//
//	dValue = drop(probs)ᵀ·dContext        dProbs = drop(dContext·valueᵀ)
//	dScores = probs∘(dProbs − Σ probs∘dProbs)/√D
//	dQuery = dScores·key                  dKey = dScoresᵀ·query
//
// The gradients of weights that are known by then are other parts of the same task.
type attentionBackward[T kernel.Float] struct {
	attention[T]
	d         projections[T]
	dContext  []T
	in        projections[T]
	gradients linearGradients[T]
}

func (at *attentionBackward[T]) parts() int { return at.gradients.parts() + at.attention.parts() }

func (at *attentionBackward[T]) do(worker, i int) {
	others := at.gradients.parts()
	if i < others {
		at.gradients.do(worker, i)
		return
	}
	h, size, width := at.head(i-others, at.in.stride), at.headSize, at.heads*at.headSize
	probs := at.probs(worker, h, at.in)
	dropped := at.drop(at.room(worker, 1, len(probs)), probs, h)
	kernel.Gemm(true, false, h.keys, size, h.queries, 1, dropped, h.keys,
		at.dContext[h.context:], width, 0, at.d.value[h.key:], at.d.stride)

	dScores := at.room(worker, 2, len(probs))
	kernel.Gemm(false, true, h.queries, h.keys, size, 1, at.dContext[h.context:], width,
		at.in.value[h.key:], at.in.stride, 0, dScores, h.keys)
	at.drop(dScores, dScores, h)
	kernel.SoftmaxBackward(dScores, dScores, probs, h.keys, at.scale())
	kernel.Gemm(false, false, h.queries, size, h.keys, 1, dScores, h.keys,
		at.in.key[h.key:], at.in.stride, 0, at.d.query[h.query:], at.d.stride)
	kernel.Gemm(true, false, h.keys, size, h.queries, 1, dScores, h.keys,
		at.in.query[h.query:], at.in.stride, 0, at.d.key[h.key:], at.d.stride)
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
	if !at.dropout.drops() {
		return probs
	}
	column := h.number * ((h.keys + 3) / 4 * 4)
	for query := range h.queries {
		lo, hi := query*h.keys, (query+1)*h.keys
		position := int(at.dropout.batch.PositionIDs[h.row+query])
		at.dropout.row(out[lo:hi], probs[lo:hi], h.sequence, position, column)
	}
	return out
}
