package kernel

import "math"

// Softmax sets each row of out (rows, columns) to
//
//	softmax(scale·x)ᵢ = exp(scale·xᵢ - max) / Σⱼ exp(scale·xⱼ - max)
//
// A score of -∞ has probability 0; a row must have one that is not. scale must be above 0. out may be x.
func Softmax[T Float](out, x []T, columns int, scale T) {
	for ; len(x) > 0; out, x = out[columns:], x[columns:] {
		softmaxRow(out[:columns], x[:columns], scale)
	}
}

func softmaxRow[T Float](out, x []T, scale T) {
	largest := x[0]
	for _, v := range x {
		largest = max(largest, v)
	}
	var sum T
	for i, v := range x {
		e := T(math.Exp(float64(scale * (v - largest))))
		out[i] = e
		sum += e
	}
	for i := range out {
		out[i] /= sum
	}
}

// SoftmaxBackward adds to each row of dX (rows, columns), given that of the probabilities p = softmax(scale·x),
//
//	scale·p∘(dP - Σⱼ pⱼ·dPⱼ)
func SoftmaxBackward[T Float](dX, dP, p []T, columns int, scale T) {
	for ; len(p) > 0; dX, dP, p = dX[columns:], dP[columns:], p[columns:] {
		var dot T
		for j := range columns {
			dot += p[j] * dP[j]
		}
		for j := range columns {
			dX[j] += scale * p[j] * (dP[j] - dot)
		}
	}
}
