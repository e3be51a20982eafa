package parity

import (
	"math"
	"math/rand/v2"
	"strings"

	"goalbert/models"
)

// RandomWeights returns weights of configuration c that no initialization has and every trained model may: a matrix's of
// deviation 1/√columns, so that its output is as large as its input, embeddings too, which are the decoder's; biases of 0.2 and
// norms about 1. With zeros for biases and ones for norms, a graph without them would compute the same. What a layer adds to
// the residual is a quarter of that: of as much, which is nearly the same for all tokens, twelve layers would make tokens
// alike, as no training does, and choices between them would be noise.
func RandomWeights(c models.Config, seed uint64) *models.Weights {
	w := models.NewWeights(c)
	norms := w.Parameters.Norms()
	random := rand.New(rand.NewPCG(seed, 1))
	for _, p := range w.Parameters.Order {
		mean, deviation := 0.0, 0.2
		switch {
		case norms[p] && strings.HasSuffix(p.Name, "weight"):
			mean, deviation = 1, 0.1
		case len(p.Shape) == 2:
			deviation = 1 / math.Sqrt(float64(p.Shape[1]))
			if strings.Contains(p.Name, ".attention.dense.") || strings.Contains(p.Name, ".ffn_output.") {
				deviation /= 4
			}
		}
		data := w.Tensor(p)
		for i := range data {
			data[i] = float32(mean + deviation*random.NormFloat64())
		}
	}
	return w
}
