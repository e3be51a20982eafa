package train

import (
	"math"

	"goalbert/models"
)

// unigram is the reference that a masked LM must beat: a model that knows how often each token occurs in the training
// text, and no context. With add-one smoothing, p(token) = (count + 1) / (N + V).
type unigram struct {
	counts []int // (V)
	total  int   // N
}

func newUnigram(vocabSize int) *unigram { return &unigram{counts: make([]int, vocabSize)} }

func (u *unigram) add(sentence []int32) {
	for _, id := range sentence {
		u.counts[id]++
	}
	u.total += len(sentence)
}

// crossEntropy returns the mean of -ln p(label) over the masked positions of batches, in nats.
func (u *unigram) crossEntropy(batches []*models.Batch) float64 {
	var sum float64
	labels := 0
	for _, b := range batches {
		for _, id := range b.MaskedLabels {
			sum -= math.Log(float64(u.counts[id]+1) / float64(u.total+len(u.counts)))
		}
		labels += len(b.MaskedLabels)
	}
	return sum / float64(max(1, labels))
}
