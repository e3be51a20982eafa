package kernel

// Add sets dst += src.
func Add[T Float](dst, src []T) { add(setOf[T](), dst[:len(src)], src) }

// Axpy sets y += alpha·x.
func Axpy[T Float](alpha T, x, y []T) { axpy(setOf[T](), alpha, x, y[:len(x)]) }

// AddBias adds bias (columns) to each row of x (rows, columns).
func AddBias[T Float](x, bias []T) {
	for ; len(x) > 0; x = x[len(bias):] {
		Add(x[:len(bias)], bias)
	}
}

// SumRows adds to sum (columns) the rows of x (rows, columns), in order.
func SumRows[T Float](sum, x []T) {
	for ; len(x) > 0; x = x[len(sum):] {
		Add(sum, x[:len(sum)])
	}
}

// SumSquares returns Σ x², in float64.
func SumSquares[T Float](x []T) float64 { return sumSquares(setOf[T](), x) }
