package native

import (
	"math"

	"goalbert/models"
	"goalbert/native/kernel"
)

// objective is what the logits of a fine-tuned head are compared with.
type objective int

const (
	noObjective objective = iota // a batch without labels
	oneLabel                     // a label for each row: cross-entropy
	answerSpan                   // the tokens at which an answer starts and ends: cross-entropy over its sequence
	manyLabels                   // a target from 0 to 1 for each logit: binary cross-entropy
	values                       // a target for each logit: squared difference
	inBatch                      // each anchor's own candidate among all of the batch: cross-entropy
)

// objectiveOf returns how a model of configuration c is trained on b.
func objectiveOf(c *models.Config, b *models.Batch) objective {
	switch {
	case c.Architecture == models.BaseModel && b.GroupSize() > 1:
		if b.Targets == nil {
			return inBatch
		}
		return values
	case c.Architecture == models.ForSequenceClassification && b.Targets != nil:
		if c.Problem() == models.MultiLabel {
			return manyLabels
		}
		return values
	case b.Labels == nil:
		return noObjective
	case c.Architecture == models.ForQuestionAnswering:
		return answerSpan
	}
	return oneLabel
}

// taskLoss returns the sum of the losses of a fine-tuned head over the labels or targets of b, how many those are, and how
// many the logits have right; none of values.
//
//	oneLabel, answerSpan, inBatch    w[label]·(-log softmax(x)[label])
//	manyLabels                       -t·log σ(x) - (1-t)·log(1-σ(x))
//	values                           (x - t)²
func (m *Model[T]) taskLoss(a *Activations[T], b *models.Batch) (sum float64, count, correct int) {
	switch objectiveOf(&m.Config, b) {
	case oneLabel:
		return m.crossEntropy(a, a.Logits, b.Labels, b.LabelWeights)
	case inBatch:
		return m.crossEntropy(a, a.Logits, a.ranks[:b.Sequences()/b.Group], nil)
	case answerSpan:
		return m.answerLoss(a, b)
	case manyLabels:
		for i, target := range b.Targets {
			x, t := float64(a.Logits[i]), float64(target)
			sum += max(x, 0) - x*t + math.Log1p(math.Exp(-math.Abs(x)))
			if (x >= 0) == (t >= 0.5) { // the cut of tasks.Decide, which may not be imported here
				correct++
			}
		}
	case values:
		for i, target := range b.Targets {
			off := float64(a.Logits[i]) - float64(target)
			sum += off * off
		}
	}
	return sum, len(b.Targets), correct
}

// taskLossBackward replaces the logits by the gradient of that sum divided by denominator. It reports whether there is
// anything that b could teach.
func (m *Model[T]) taskLossBackward(a *Activations[T], b *models.Batch, denominator float64) bool {
	o := objectiveOf(&m.Config, b)
	switch {
	case o == noObjective:
		return false
	case denominator == 0:
		clear(a.Logits)
	case o == oneLabel:
		crossEntropyBackward(a.Logits, b.Labels, b.LabelWeights, denominator)
	case o == inBatch:
		crossEntropyBackward(a.Logits, a.ranks[:b.Sequences()/b.Group], nil, denominator)
	case o == answerSpan:
		m.answerLossBackward(a, b, denominator)
	case o == manyLabels:
		for i, target := range b.Targets {
			a.Logits[i] = T((1/(1+math.Exp(-float64(a.Logits[i]))) - float64(target)) / denominator)
		}
	case o == values:
		for i, target := range b.Targets {
			a.Logits[i] = T(2 * (float64(a.Logits[i]) - float64(target)) / denominator)
		}
	}
	return true
}

// answerLoss is the cross-entropy of both ends of an answer, each over the tokens of its sequence.
func (m *Model[T]) answerLoss(a *Activations[T], b *models.Batch) (sum float64, count, correct int) {
	var all rowLosses
	for i := range b.Labels {
		logits, label := answerLogits(a, b, i)
		all.add(crossEntropyOf(logits, label[:]))
	}
	return all.sum, all.count, all.correct
}

func (m *Model[T]) answerLossBackward(a *Activations[T], b *models.Batch, denominator float64) {
	for i := range b.Labels {
		logits, label := answerLogits(a, b, i)
		kernel.CrossEntropyBackward(logits, logits, label[:], models.IgnoreIndex, T(1/denominator))
		for j, v := range logits {
			a.Logits[2*(b.Offsets[i/2]+j)+i%2] = v
		}
	}
}

// answerLogits returns the start or end logits of a sequence, one after the other, and where label i says that the answer
// starts or ends: models.IgnoreIndex beyond the sequence.
func answerLogits[T kernel.Float](a *Activations[T], b *models.Batch, i int) ([]T, [1]int32) {
	lo, hi := b.Offsets[i/2], b.Offsets[i/2+1]
	logits := a.answers[2*lo+i%2*(hi-lo):][:hi-lo]
	for j := range logits {
		logits[j] = a.Logits[2*(lo+j)+i%2]
	}
	if int(b.Labels[i]) >= hi-lo {
		return logits, [1]int32{models.IgnoreIndex}
	}
	return logits, [1]int32{b.Labels[i]}
}
