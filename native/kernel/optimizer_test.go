package kernel

import (
	"math"
	"testing"

	"goalbert/internal/numeric"
)

// Three updates of one weight, worked out with the formulas of torch.optim.AdamW's documentation.
func TestAdamW(t *testing.T) {
	for _, corrected := range []bool{true, false} {
		w, m, v := []float64{1.5}, []float64{0}, []float64{0}
		want, first, second := 1.5, 0.0, 0.0
		for step, g := range []float64{0.5, -0.25, 2} {
			AdamW(w, m, v, []float64{g}, AdamWStep{LearningRate: 0.1, Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-8,
				WeightDecay: 0.01, BiasCorrection: corrected, Step: step + 1, GradScale: 0.5})
			g *= 0.5
			first, second = 0.9*first+0.1*g, 0.99*second+0.01*g*g
			mean, square := first, second
			if corrected {
				mean /= 1 - math.Pow(0.9, float64(step+1))
				square /= 1 - math.Pow(0.99, float64(step+1))
			}
			want -= 0.1 * 0.01 * want
			want -= 0.1 * mean / (math.Sqrt(square) + 1e-8)
			numeric.Check(t, "weight", w, []float64{want}, numeric.SameSum64)
		}
	}
}

func TestLAMBUpdate(t *testing.T) {
	w, m, v, g := []float64{1.5}, []float64{0.2}, []float64{0.04}, []float64{3}
	LAMBUpdate(g, w, m, v, g, LAMBStep{Beta1: 0.9, Beta2: 0.99, Epsilon: 1e-6, WeightDecay: 0.1, GradScale: 2})
	first, second := 0.9*0.2+0.1*6, 0.99*0.04+0.01*36
	numeric.Check(t, "moments", []float64{m[0], v[0]}, []float64{first, second}, numeric.SameSum64)
	numeric.Check(t, "update", g, []float64{first/(math.Sqrt(second)+1e-6) + 0.15}, numeric.SameSum64)
}
