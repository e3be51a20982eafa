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

func newUnigram(d Documents, vocabSize int) *unigram {
	u := &unigram{counts: make([]int, vocabSize)}
	for i := range d.Len() {
		for j := range d.Sentences(i) {
			for _, id := range d.Sentence(i, j) {
				u.counts[id]++
				u.total++
			}
		}
	}
	return u
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
