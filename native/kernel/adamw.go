package kernel

import "math"

// AdamWStep is the constants of one AdamW update.
type AdamWStep struct {
	LearningRate   float64
	Beta1, Beta2   float64
	Epsilon        float64
	WeightDecay    float64
	BiasCorrection bool
	Step           int     // 1 for the first update
	GradScale      float64 // what the gradient is multiplied by first, for clipping
}

// AdamW updates weights w and the moments m and v by a gradient g:
//
//	m = β₁m + (1-β₁)g     v = β₂v + (1-β₂)g²
//	w = w - rate·(m/(1-β₁ᵗ) / (√(v/(1-β₂ᵗ)) + ε) + decay·w)
//
// With BiasCorrection it is torch.optim.AdamW; without, the divisors 1-βᵗ are 1, and with ε = 1e-6 it is the
// AdamWeightDecayOptimizer of Google's BERT and ALBERT.
//
// Loshchilov and Hutter, "Decoupled Weight Decay Regularization", arXiv:1711.05101.
func AdamW[T Float](w, m, v, g []T, s AdamWStep) {
	first, second := 1.0, 1.0
	if s.BiasCorrection {
		first = 1 - math.Pow(s.Beta1, float64(s.Step))
		second = 1 - math.Pow(s.Beta2, float64(s.Step))
	}
	beta1, beta2, rest1, rest2 := T(s.Beta1), T(s.Beta2), T(1-s.Beta1), T(1-s.Beta2)
	keep, rate := T(1-s.LearningRate*s.WeightDecay), T(s.LearningRate/first)
	root, epsilon, scale := T(1/math.Sqrt(second)), T(s.Epsilon), T(s.GradScale)
	w, m, v = w[:len(g)], m[:len(g)], v[:len(g)]
	for i, d := range g {
		d *= scale
		m[i] = beta1*m[i] + rest1*d
		v[i] = beta2*v[i] + rest2*d*d
		w[i] = keep*w[i] - rate*m[i]/(T(math.Sqrt(float64(v[i])))*root+epsilon)
	}
}
