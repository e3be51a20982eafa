package kernel

// LayerNorm sets each row of out (rows, columns) to
//
//	(x - mean(x))·rstd·weight + bias,   rstd = 1/√(var(x) + eps)
//
// and mean (rows) and rstd (rows) for the backward pass. The variance is not bias-corrected. weight and bias are
// (columns). out may be x.
//
// Ba et al., "Layer Normalization", arXiv:1607.06450.
func LayerNorm[T Float](out, mean, rstd, x, weight, bias []T, eps T) {
	size := len(mean) * len(weight)
	layerNorm(setOf[T](), out[:size], mean, rstd[:len(mean)], x[:size], weight, bias[:len(weight)], eps)
}

// LayerNormBackward sets dX (rows, columns), and adds to dWeight and dBias (columns). dX may be dOut. With x̂ = (x - mean)·rstd and
// g = dOut·weight,
//
//	dX = rstd·(g - mean(g) - x̂·mean(g·x̂))     dWeight += Σ rows of dOut·x̂     dBias += Σ rows of dOut
func LayerNormBackward[T Float](dX, dWeight, dBias, dOut, x, mean, rstd, weight []T) {
	columns := len(weight)
	size := len(mean) * columns
	layerNormBackward(setOf[T](), dX[:size], dWeight[:columns], dBias[:columns], dOut[:size], x[:size], mean,
		rstd[:len(mean)], weight)
}
