package kernel

// Softmax sets each row of out (rows, columns) to
//
//	softmax(scale·x)ᵢ = exp(scale·xᵢ - max) / Σⱼ exp(scale·xⱼ - max)
//
// A score of -∞ has probability 0; a row must have one that is not. scale must be above 0. out may be x.
func Softmax[T Float](out, x []T, columns int, scale T) {
	if len(x) > 0 {
		scaledSoftmax(setOf[T](), out[:len(x)], x, columns, scale, 1)
	}
}

// SoftmaxBackward sets each row of dX (rows, columns), given that of the probabilities p = softmax(scale·x), to
//
//	scale·p∘(dP - Σⱼ pⱼ·dPⱼ)
//
// dX may be dP.
func SoftmaxBackward[T Float](dX, dP, p []T, columns int, scale T) {
	if len(p) > 0 {
		softmaxBackward(setOf[T](), dX[:len(p)], dP[:len(p)], p, columns, scale)
	}
}
