package kernel

import (
	"math"
	"slices"
)

// CrossEntropy returns the sum over the rows of logits (rows, classes) of
//
//	-log softmax(logits)[label]
//
// in nats, how many rows that is, and in how many of them the first largest logit is the label's. A row whose label is
// ignore does not count.
func CrossEntropy[T Float](logits []T, labels []int32, ignore int32) (sum float64, count, correct int) {
	return crossEntropy(setOf[T](), logits, labels, ignore)
}

func crossEntropy[T Float](s set, logits []T, labels []int32, ignore int32) (sum float64, count, correct int) {
	if len(labels) == 0 {
		return 0, 0, 0
	}
	classes := len(logits) / len(labels)
	for i, label := range labels {
		if label == ignore {
			continue
		}
		row := logits[i*classes:][:classes]
		top, total := sumExp(s, row)
		if row[label] == top && !slices.Contains(row[:label], top) {
			correct++
		}
		sum += math.Log(total) - float64(row[label]-top)
		count++
	}
	return sum, count, correct
}

// CrossEntropyBackward sets each row of dLogits (rows, classes) to scale·(softmax(logits) - onehot(label)), and to zero
// where the label is ignore. dLogits may be logits.
func CrossEntropyBackward[T Float](dLogits, logits []T, labels []int32, ignore int32, scale T) {
	crossEntropyBackward(setOf[T](), dLogits, logits, labels, ignore, scale)
}

func crossEntropyBackward[T Float](s set, dLogits, logits []T, labels []int32, ignore int32, scale T) {
	if len(labels) == 0 {
		return
	}
	classes := len(logits) / len(labels)
	for i, label := range labels {
		out := dLogits[i*classes:][:classes]
		if label == ignore {
			clear(out)
			continue
		}
		scaledSoftmax(s, out, logits[i*classes:][:classes], classes, 1, scale)
		out[label] -= scale
	}
}
