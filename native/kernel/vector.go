package kernel

// Add sets dst += src.
func Add[T Float](dst, src []T) { add(setOf[T](), dst[:len(src)], src) }

// Axpy sets y += alpha·x.
func Axpy[T Float](alpha T, x, y []T) { axpy(setOf[T](), alpha, x, y[:len(x)]) }

// SumSquares returns Σ x², in float64.
func SumSquares[T Float](x []T) float64 { return sumSquares(setOf[T](), x) }
