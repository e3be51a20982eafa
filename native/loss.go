package native

import (
	"goalbert/models"
	"goalbert/native/kernel"
)

// Loss returns the sums of all losses over the batch of the last Forward or Infer, as models.Losses says.
func (m *Model[T]) Loss(a *Activations[T], b *models.Batch) models.Losses {
	var l models.Losses
	l.MaskedLM, l.MaskedTokens, l.MaskedCorrect = m.crossEntropy(a, a.PredictionLogits, b.MaskedLabels, nil)
	if b.SentenceLabels != nil && len(a.SOPLogits) > 0 {
		l.Sentence, l.Sentences, l.SentenceCorrect = m.crossEntropy(a, a.SOPLogits, b.SentenceLabels, nil)
	}
	l.Task, l.Labels, l.LabelsCorrect = m.taskLoss(a, b)
	return l
}

// crossEntropy is kernel.CrossEntropy, each row by the weight of its label where there are weights, with the rows split
// over threads, and the sums added in the order of the tiles.
func (m *Model[T]) crossEntropy(a *Activations[T], logits []T, labels []int32, weights []float32) (sum float64, count, correct int) {
	tiles := tilesOf(len(labels))
	a.losses = a.losses[:0]
	for range tiles.count() {
		a.losses = append(a.losses, rowLosses{})
	}
	run(m.pool, tiles.count(), crossEntropyRows[T]{logits, labels, weights, a.losses})
	var all rowLosses
	for _, t := range a.losses {
		all.add(t)
	}
	return all.sum, all.count, all.correct
}

// rowLosses is the sum over some rows.
type rowLosses struct {
	sum            float64
	count, correct int
}

func (l *rowLosses) add(other rowLosses) {
	l.sum += other.sum
	l.count += other.count
	l.correct += other.correct
}

type crossEntropyRows[T kernel.Float] struct {
	logits  []T
	labels  []int32
	weights []float32
	losses  []rowLosses
}

func (p *crossEntropyRows[T]) do(_, i int) {
	s, t, columns := tilesOf(len(p.labels)).at(i), &p.losses[i], len(p.logits)/len(p.labels)
	if p.weights == nil {
		*t = crossEntropyOf(part(p.logits, s, columns), p.labels[s.lo:s.hi])
		return
	}
	for row := s.lo; row < s.hi; row++ {
		if label := p.labels[row]; label != models.IgnoreIndex {
			one := crossEntropyOf(part(p.logits, span{row, row + 1}, columns), p.labels[row:row+1])
			one.sum *= float64(p.weights[label])
			t.add(one)
		}
	}
}

func crossEntropyOf[T kernel.Float](logits []T, labels []int32) (l rowLosses) {
	l.sum, l.count, l.correct = kernel.CrossEntropy(logits, labels, models.IgnoreIndex)
	return l
}

// crossEntropyBackward replaces logits by the gradient of their summed cross-entropy, each row by the weight of its label
// where there are weights, divided by denominator.
func crossEntropyBackward[T kernel.Float](logits []T, labels []int32, weights []float32, denominator float64) {
	switch {
	case denominator == 0:
		clear(logits)
	case weights == nil:
		kernel.CrossEntropyBackward(logits, logits, labels, models.IgnoreIndex, T(1/denominator))
	default:
		columns := len(logits) / len(labels)
		for i, label := range labels {
			weight := 0.0
			if label != models.IgnoreIndex {
				weight = float64(weights[label])
			}
			row := part(logits, span{i, i + 1}, columns)
			kernel.CrossEntropyBackward(row, row, labels[i:i+1], models.IgnoreIndex, T(weight/denominator))
		}
	}
}
