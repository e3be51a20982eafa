package numeric

// step is the h of central differences.
const step = 1e-6

// CheckGradient fails t if gradient is not that of f by x: for each i, (f(x + h·eᵢ) − f(x − h·eᵢ)) / 2h with h = 1e-6,
// within FiniteDifference. f reads x; x is restored.
func CheckGradient(t Reporter, name string, f func() float64, x, gradient []float64) {
	t.Helper()
	numeric := make([]float64, len(x))
	for i, old := range x {
		x[i] = old + step
		up := f()
		x[i] = old - step
		down := f()
		x[i] = old
		numeric[i] = (up - down) / (2 * step)
	}
	Check(t, name+": gradient", gradient, numeric, FiniteDifference)
}
