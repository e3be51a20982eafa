package kernel

import "math"

// CrossEntropy returns the sum over the rows of logits (rows, classes) of
//
//	-log softmax(logits)[label]
//
// in nats, how many rows that is, and in how many of them the first largest logit is the label's. A row whose label is
// ignore does not count.
func CrossEntropy[T Float](logits []T, labels []int32, ignore int32) (sum float64, count, correct int) {
	if len(labels) == 0 {
		return 0, 0, 0
	}
	classes := len(logits) / len(labels)
	for i, label := range labels {
		if label == ignore {
			continue
		}
		row := logits[i*classes:][:classes]
		best := argMax(row)
		if best == int(label) {
			correct++
		}
		total := 0.0
		for _, v := range row {
			total += math.Exp(float64(v - row[best]))
		}
		sum += math.Log(total) - float64(row[label]-row[best])
		count++
	}
	return sum, count, correct
}

// CrossEntropyBackward sets each row of dLogits (rows, classes) to scale·(softmax(logits) - onehot(label)), and to zero
// where the label is ignore. dLogits may be logits.
func CrossEntropyBackward[T Float](dLogits, logits []T, labels []int32, ignore int32, scale T) {
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
		softmaxRow(out, logits[i*classes:][:classes], 1)
		out[label]--
		for j := range out {
			out[j] *= scale
		}
	}
}

// argMax returns the index of the first largest value.
func argMax[T Float](x []T) int {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return best
}
