package kernel

import "math"

// scaledSoftmaxGeneric sets each row of out to factor·softmax(scale·x).
func scaledSoftmaxGeneric[T Float](out, x []T, columns int, scale, factor T) {
	for ; len(x) > 0; out, x = out[columns:], x[columns:] {
		row := out[:columns]
		top := largest(x[:columns])
		var sum T
		for i, v := range x[:columns] {
			e := T(math.Exp(float64(scale * (v - top))))
			row[i] = e
			sum += e
		}
		for i := range row {
			row[i] *= factor / sum
		}
	}
}

func softmaxBackwardGeneric[T Float](dX, dP, p []T, columns int, scale T) {
	for ; len(p) > 0; dX, dP, p = dX[columns:], dP[columns:], p[columns:] {
		var dot T
		for j := range columns {
			dot += p[j] * dP[j]
		}
		for j := range columns {
			dX[j] = scale * p[j] * (dP[j] - dot)
		}
	}
}

// sumExpGeneric returns the largest element and Σ exp(x - largest).
func sumExpGeneric[T Float](x []T) (top T, sum float64) {
	top = largest(x)
	for _, v := range x {
		sum += math.Exp(float64(v - top))
	}
	return top, sum
}

func largest[T Float](x []T) T {
	top := x[0]
	for _, v := range x {
		top = max(top, v)
	}
	return top
}
