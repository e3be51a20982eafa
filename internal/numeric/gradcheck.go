package numeric

// step is the h of central differences.
const step = 1e-6

// CheckGradient fails t if gradient is not that of f by x: for each i, (f(x + h·eᵢ) − f(x − h·eᵢ)) / 2h with h = 1e-6,
// within FiniteDifference. f reads x; x is restored.
func CheckGradient(t Reporter, name string, f func() float64, x, gradient []float64) {
	t.Helper()
	if len(gradient) != len(x) {
		t.Errorf("%s: gradient: got %d elements, want %d", name, len(gradient), len(x))
		return
	}
	all := make([]int, len(x))
	for i := range all {
		all[i] = i
	}
	CheckGradientAt(t, name, f, x, gradient, all)
}

// CheckGradientAt is CheckGradient for some entries of x only, where f is too slow for all.
func CheckGradientAt(t Reporter, name string, f func() float64, x, gradient []float64, entries []int) {
	t.Helper()
	analytic, numeric := make([]float64, len(entries)), make([]float64, len(entries))
	for k, i := range entries {
		analytic[k], numeric[k] = gradient[i], centralDifference(f, &x[i])
	}
	c := Compare(analytic, numeric, FiniteDifference)
	if len(entries) > 0 {
		c.WorstIndex = entries[c.WorstIndex]
	}
	report(t, name+": gradient", c)
}

func centralDifference(f func() float64, x *float64) float64 {
	old := *x
	defer func() { *x = old }()
	*x = old + step
	up := f()
	*x = old - step
	return (up - f()) / (2 * step)
}
