package kernel

import "math"

// LAMBStep is the constants of one LAMB update.
type LAMBStep struct {
	Beta1, Beta2 float64
	Epsilon      float64
	WeightDecay  float64
	GradScale    float64 // what the gradient is multiplied by first, for clipping
}

// LAMBUpdate updates the moments m and v by a gradient g and sets update, which may be g:
//
//	m = β₁m + (1-β₁)g     v = β₂v + (1-β₂)g²     update = m/(√v + ε) + decay·w
//
// The caller subtracts rate·ratio·update from w, ratio being the layer's ‖w‖/‖update‖. There is no bias correction, as
// in lamb_optimizer.py of Google's ALBERT.
//
// You et al., "Large Batch Optimization for Deep Learning", arXiv:1904.00962.
func LAMBUpdate[T Float](update, w, m, v, g []T, s LAMBStep) {
	beta1, beta2, rest1, rest2 := T(s.Beta1), T(s.Beta2), T(1-s.Beta1), T(1-s.Beta2)
	epsilon, decay, scale := T(s.Epsilon), T(s.WeightDecay), T(s.GradScale)
	update, w, m, v = update[:len(g)], w[:len(g)], m[:len(g)], v[:len(g)]
	for i, d := range g {
		d *= scale
		m[i] = beta1*m[i] + rest1*d
		v[i] = beta2*v[i] + rest2*d*d
		update[i] = m[i]/(T(math.Sqrt(float64(v[i])))+epsilon) + decay*w[i]
	}
}
