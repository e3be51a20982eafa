package kernel

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
	n := len(g)
	lambUpdate(setOf[T](), update[:n], w[:n], m[:n], v[:n], g,
		averagesOf[T](s.Beta1, s.Beta2, s.GradScale), T(s.Epsilon), T(s.WeightDecay))
}
