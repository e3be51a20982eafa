package native

import (
	"math"

	"goalbert/models"
	"goalbert/native/kernel"
)

// similarityScale is what cosines are multiplied by where each is one of many candidates: sentence-transformers' default.
const similarityScale = 20

// leastLength bounds the length that an embedding is divided by, as torch.nn.functional.normalize does.
const leastLength = 1e-12

// sentenceEmbeddings are, of each sequence, the mean of its hidden states, as length and direction.
type sentenceEmbeddings[T kernel.Float] struct {
	Unit   []T // (B, H)
	Length []T // (B)
}

// compares reports whether the sequences of the batch are compared with each other, by their embeddings.
func (p *pass[T]) compares() bool {
	return p.Config.Architecture == models.BaseModel && p.b.GroupSize() > 1
}

// compare computes the cosine of each pair where the batch has targets. Otherwise a group is an anchor, its positive and
// maybe its negatives, and each of the N anchors is compared with all N positives and with all negatives.
func (p *pass[T]) compare() {
	a, b, h := p.a, p.b, p.Config.HiddenSize
	run(p.pool, b.Sequences(), meanRows[T]{*p})
	unit, group, n := a.Sentences.Unit, b.Group, b.Sequences()/b.Group
	if b.Targets != nil {
		for i := range n {
			a.Logits[i] = T(dot(unit[2*i*h:][:h], unit[(2*i+1)*h:][:h]))
		}
		return
	}
	for j := 1; j < group; j++ {
		kernel.Gemm(false, true, n, n, h, similarityScale, unit, group*h, unit[j*h:], group*h, 0, a.Logits[(j-1)*n:], (group-1)*n)
	}
}

func dot[T kernel.Float](x, y []T) (sum float64) {
	for i, v := range x {
		sum += float64(v) * float64(y[i])
	}
	return sum
}

// meanRows is the mean of a sequence's hidden states.
type meanRows[T kernel.Float] struct{ pass[T] }

func (p *meanRows[T]) do(_, i int) {
	h, lo, hi := p.Config.HiddenSize, p.b.Offsets[i], p.b.Offsets[i+1]
	mean := p.a.Sentences.Unit[i*h:][:h]
	clear(mean)
	for row := lo; row < hi; row++ {
		kernel.Add(mean, p.a.LastHiddenState[row*h:][:h])
	}
	for j := range mean {
		mean[j] /= T(hi - lo)
	}
	length := T(max(math.Sqrt(kernel.SumSquares(mean)), leastLength))
	p.a.Sentences.Length[i] = length
	for j := range mean {
		mean[j] /= length
	}
}

type sentenceGradients[T kernel.Float] struct {
	dUnit []T // (B, H)
}

// compareBackward adds to dHidden, given the gradient of the cosines in the place of the logits.
func (p *backwardPass[T]) compareBackward() {
	a, b, h, dUnit := p.a, p.b, p.Config.HiddenSize, p.sentences.dUnit
	unit, group, n := a.Sentences.Unit, b.Group, b.Sequences()/b.Group
	clear(dUnit)
	if b.Targets != nil {
		for i, d := range a.Logits {
			kernel.Axpy(d, unit[(2*i+1)*h:][:h], dUnit[2*i*h:][:h])
			kernel.Axpy(d, unit[2*i*h:][:h], dUnit[(2*i+1)*h:][:h])
		}
	} else {
		for j := 1; j < group; j++ {
			d := a.Logits[(j-1)*n:]
			kernel.Gemm(false, false, n, h, n, similarityScale, d, (group-1)*n, unit[j*h:], group*h, 1, dUnit, group*h)
			kernel.Gemm(true, false, n, h, n, similarityScale, d, (group-1)*n, unit, group*h, 1, dUnit[j*h:], group*h)
		}
	}
	run(p.pool, b.Sequences(), meanRowsBackward[T]{p})
}

// meanRowsBackward is the backward pass of meanRows: of y = x/‖x‖, dx = (dy - y·(y·dy))/‖x‖, which each row of a mean of n
// gets the n-th part of.
type meanRowsBackward[T kernel.Float] struct{ *backwardPass[T] }

func (p *meanRowsBackward[T]) do(_, i int) {
	h, lo, hi := p.Config.HiddenSize, p.b.Offsets[i], p.b.Offsets[i+1]
	unit, d := p.a.Sentences.Unit[i*h:][:h], p.sentences.dUnit[i*h:][:h]
	kernel.Axpy(T(-dot(unit, d)), unit, d)
	for j := range d {
		d[j] /= p.a.Sentences.Length[i] * T(hi-lo)
	}
	for row := lo; row < hi; row++ {
		kernel.Add(p.dHidden[row*h:][:h], d)
	}
}
