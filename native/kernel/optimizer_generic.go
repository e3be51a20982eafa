package kernel

import "math"

// averages is the constants of the moments, m = β₁m + (1-β₁)·scale·g and v = β₂v + (1-β₂)·(scale·g)².
type averages[T Float] struct{ beta1, beta2, rest1, rest2, scale T }

func averagesOf[T Float](beta1, beta2, scale float64) averages[T] {
	return averages[T]{T(beta1), T(beta2), T(1 - beta1), T(1 - beta2), T(scale)}
}

// adamWConstants is those of w = keep·w - rate·m/(root·√v + ε).
type adamWConstants[T Float] struct{ keep, rate, root, epsilon T }

func adamWGeneric[T Float](w, m, v, g []T, a averages[T], c adamWConstants[T]) {
	for i, d := range g {
		d *= a.scale
		m[i] = a.beta1*m[i] + a.rest1*d
		v[i] = a.beta2*v[i] + a.rest2*d*d
		w[i] = c.keep*w[i] - c.rate*m[i]/(T(math.Sqrt(float64(v[i])))*c.root+c.epsilon)
	}
}

func lambUpdateGeneric[T Float](update, w, m, v, g []T, a averages[T], epsilon, decay T) {
	for i, d := range g {
		d *= a.scale
		m[i] = a.beta1*m[i] + a.rest1*d
		v[i] = a.beta2*v[i] + a.rest2*d*d
		update[i] = m[i]/(T(math.Sqrt(float64(v[i])))+epsilon) + decay*w[i]
	}
}
