package kernel

import "math"

func layerNormGeneric[T Float](out, mean, rstd, x, weight, bias []T, eps T) {
	columns := len(weight)
	for row := range mean {
		x, out := x[row*columns:][:columns], out[row*columns:][:columns]
		m, r := moments(x, eps)
		mean[row], rstd[row] = m, r
		for j, v := range x {
			out[j] = (v-m)*r*weight[j] + bias[j]
		}
	}
}

// moments returns the mean of x and 1/√(variance + eps), in two passes.
func moments[T Float](x []T, eps T) (mean, rstd T) {
	var sum, squares T
	for _, v := range x {
		sum += v
	}
	mean = sum / T(len(x))
	for _, v := range x {
		squares += (v - mean) * (v - mean)
	}
	return mean, T(1 / math.Sqrt(float64(squares/T(len(x))+eps)))
}

func layerNormBackwardGeneric[T Float](dX, dWeight, dBias, dOut, x, mean, rstd, weight []T) {
	columns := len(weight)
	for row, m := range mean {
		r := rstd[row]
		x, dX, dOut := x[row*columns:][:columns], dX[row*columns:][:columns], dOut[row*columns:][:columns]
		var sum, dot T
		for j, d := range dOut {
			normal := (x[j] - m) * r
			g := d * weight[j]
			sum += g
			dot += g * normal
			dWeight[j] += d * normal
			dBias[j] += d
		}
		sum /= T(columns)
		dot /= T(columns)
		for j, d := range dOut {
			dX[j] = r * (d*weight[j] - sum - (x[j]-m)*r*dot)
		}
	}
}
