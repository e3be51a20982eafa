package native

import (
	"math"
	"math/rand/v2"
	"testing"

	"goalbert/internal/numeric"
)

// Attention with query and key offsets of their own, causal and not, by central differences. The scalar is the
// context times fixed random numbers.
func TestAttentionBackwardByFiniteDifferences(t *testing.T) {
	for _, causal := range []bool{false, true} {
		random := rand.New(rand.NewPCG(9, 9))
		normal := func(n int) []float64 {
			x := make([]float64, n)
			for i := range x {
				x[i] = random.NormFloat64()
			}
			return x
		}
		at := attention[float64]{heads: 2, headSize: 3, queryOffsets: []int{0, 2, 5}, keyOffsets: []int{0, 4, 7}, causal: causal}
		const width = 6
		x := normal((5 + 7 + 7) * width)
		views := func(x []float64) projections[float64] {
			return projections[float64]{query: x, key: x[5*width:], value: x[12*width:], stride: width}
		}
		at.largest = largestHead(at.queryOffsets, at.keyOffsets)
		at.scratch = make([]float64, 2*matrices*at.largest)
		p := newPool(2)
		dContext := normal(5 * width)
		scalar := func() float64 {
			forward := attentionForward[float64]{at, make([]float64, 5*width), views(x)}
			run(p, at.parts(), forward)
			sum := 0.0
			for i, v := range forward.context {
				sum += v * dContext[i]
			}
			return sum
		}
		dx := make([]float64, len(x))
		backward := attentionBackward[float64]{attention: at, d: views(dx), dContext: dContext, in: views(x)}
		run(p, backward.parts(), backward)
		numeric.CheckGradient(t, "attention", scalar, x, dx)
	}
}

// Rows of probabilities sum to 1, and a causal query gives no weight to what comes after it.
func TestAttentionProbs(t *testing.T) {
	at := attention[float64]{heads: 1, headSize: 2, queryOffsets: []int{0, 3}, keyOffsets: []int{0, 3}, causal: true}
	at.scratch, at.largest = make([]float64, matrices*9), 9
	x := []float64{1, 2, 3, 4, 5, 6, -1, 0, 2, 1, 0, 3, 1, 1, 2, -2, 0, 1}
	probs := at.probs(0, at.head(0, 6), sideBySide(x, 2))
	for query := range 3 {
		sum := 0.0
		for key, p := range probs[3*query : 3*query+3] {
			sum += p
			if key > query && p != 0 {
				t.Errorf("query %d gives key %d weight %v", query, key, p)
			}
		}
		if math.Abs(sum-1) > 1e-15 {
			t.Errorf("probabilities of query %d sum to %v", query, sum)
		}
	}
}
