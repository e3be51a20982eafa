//go:build purego || !amd64

package kernel

func layerNorm[T Float](_ set, out, mean, rstd, x, weight, bias []T, eps T) {
	layerNormGeneric(out, mean, rstd, x, weight, bias, eps)
}

func layerNormBackward[T Float](_ set, dX, dWeight, dBias, dOut, x, mean, rstd, weight []T) {
	layerNormBackwardGeneric(dX, dWeight, dBias, dOut, x, mean, rstd, weight)
}
