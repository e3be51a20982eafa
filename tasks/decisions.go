package tasks

import "goalbert/models"

// Decide returns what an output of a model, as Task.Predict takes it, chooses among several possibilities: the most probable
// label, of the text or of each token, or choice; 1 for each label that applies, of those that do not exclude each other, and
// 0 for others; the most probable tokens at which an answer starts and ends. It is nil where the output is numbers.
func Decide(c models.Config, output []float32) []int32 {
	switch c.Architecture {
	case models.ForSequenceClassification:
		switch c.Problem() {
		case models.SingleLabel:
			return []int32{int32(ArgMax(output))}
		case models.MultiLabel:
			return decideEach(output)
		}
	case models.ForMultipleChoice:
		return []int32{int32(ArgMax(output))}
	case models.ForTokenClassification:
		return decideRows(output, c.Labels.Len())
	case models.ForQuestionAnswering:
		return []int32{int32(largest(output, 1)[0]), int32(largest(output[1:], 1)[0])}
	}
	return nil
}

func decideEach(logits []float32) []int32 {
	chosen := make([]int32, len(logits))
	for i, x := range logits {
		if applies(x) {
			chosen[i] = 1
		}
	}
	return chosen
}

func decideRows(logits []float32, width int) []int32 {
	chosen := make([]int32, len(logits)/width)
	for i := range chosen {
		chosen[i] = int32(ArgMax(logits[i*width : (i+1)*width]))
	}
	return chosen
}

// applies reports whether a label that excludes no other is at least as probable as not.
func applies(logit float32) bool { return logit >= 0 }

// ArgMax returns the index of the first largest value.
func ArgMax(x []float32) int {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return best
}
