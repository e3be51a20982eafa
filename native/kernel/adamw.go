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
	n := len(g)
	adamW(setOf[T](), w[:n], m[:n], v[:n], g,
		averagesOf[T](s.Beta1, s.Beta2, s.GradScale), adamWConstants[T]{
			keep: T(1 - s.LearningRate*s.WeightDecay), rate: T(s.LearningRate / first),
			root: T(1 / math.Sqrt(second)), epsilon: T(s.Epsilon),
		})
}
