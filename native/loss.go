package native

import (
	"goalbert/models"
	"goalbert/native/kernel"
)

// Loss returns the sums of both losses over the batch of the last Forward or Infer, as models.Losses says.
func (m *Model[T]) Loss(a *Activations[T], b *models.Batch) models.Losses {
	var l models.Losses
	l.MaskedLM, l.MaskedTokens, l.MaskedCorrect = m.crossEntropy(a, a.PredictionLogits, b.MaskedLabels)
	if b.SentenceLabels != nil && len(a.SOPLogits) > 0 {
		l.Sentence, l.Sentences, l.SentenceCorrect = m.crossEntropy(a, a.SOPLogits, b.SentenceLabels)
	}
	return l
}

// crossEntropy is kernel.CrossEntropy with the rows split over threads, and the sums added in the order of the tiles.
func (m *Model[T]) crossEntropy(a *Activations[T], logits []T, labels []int32) (sum float64, count, correct int) {
	tiles := tilesOf(len(labels))
	a.losses = a.losses[:0]
	for range tiles.count() {
		a.losses = append(a.losses, rowLosses{})
	}
	run(m.pool, tiles.count(), crossEntropyRows[T]{logits, labels, a.losses})
	for _, t := range a.losses {
		sum += t.sum
		count += t.count
		correct += t.correct
	}
	return sum, count, correct
}

// rowLosses is the sum over some rows.
type rowLosses struct {
	sum            float64
	count, correct int
}

type crossEntropyRows[T kernel.Float] struct {
	logits []T
	labels []int32
	losses []rowLosses
}

func (p *crossEntropyRows[T]) do(_, i int) {
	s, t := tilesOf(len(p.labels)).at(i), &p.losses[i]
	t.sum, t.count, t.correct = kernel.CrossEntropy(part(p.logits, s, len(p.logits)/len(p.labels)), p.labels[s.lo:s.hi],
		models.IgnoreIndex)
}

// crossEntropyBackward replaces logits by the gradient of their summed cross-entropy divided by denominator.
func crossEntropyBackward[T kernel.Float](logits []T, labels []int32, denominator float64) {
	if denominator == 0 {
		clear(logits)
		return
	}
	kernel.CrossEntropyBackward(logits, logits, labels, models.IgnoreIndex, T(1/denominator))
}
