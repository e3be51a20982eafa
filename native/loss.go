package native

import (
	"goalbert/models"
	"goalbert/native/kernel"
)

// Loss returns the sums of both losses over the batch of the last Forward, as models.Losses says.
func (m *Model[T]) Loss(a *Activations[T], b *models.Batch) models.Losses {
	var l models.Losses
	l.MaskedLM, l.MaskedTokens, l.MaskedCorrect = crossEntropy(m.pool, a.PredictionLogits, b.MaskedLabels)
	if b.SentenceLabels != nil && len(a.SOPLogits) > 0 {
		l.Sentence, l.Sentences, l.SentenceCorrect = crossEntropy(m.pool, a.SOPLogits, b.SentenceLabels)
	}
	return l
}

// crossEntropy is kernel.CrossEntropy with the rows split over threads, and the sums added in the order of the tiles.
func crossEntropy[T kernel.Float](p *pool, logits []T, labels []int32) (sum float64, count, correct int) {
	if len(labels) == 0 {
		return 0, 0, 0
	}
	columns := len(logits) / len(labels)
	type partial struct {
		sum            float64
		count, correct int
	}
	partials := make([]partial, tiles(len(labels)))
	p.rows(len(labels), func(i, lo, hi int) {
		t := &partials[i]
		t.sum, t.count, t.correct = kernel.CrossEntropy(logits[lo*columns:hi*columns], labels[lo:hi], models.IgnoreIndex)
	})
	for _, t := range partials {
		sum += t.sum
		count += t.count
		correct += t.correct
	}
	return sum, count, correct
}

// crossEntropyBackward replaces logits by the gradient of their summed cross-entropy divided by denominator.
func crossEntropyBackward[T kernel.Float](p *pool, logits []T, labels []int32, denominator float64) {
	if len(labels) == 0 || denominator == 0 {
		clear(logits)
		return
	}
	columns := len(logits) / len(labels)
	p.rows(len(labels), func(_, lo, hi int) {
		tile := logits[lo*columns : hi*columns]
		kernel.CrossEntropyBackward(tile, tile, labels[lo:hi], models.IgnoreIndex, T(1/denominator))
	})
}
