package parity

import (
	"math"
	"math/rand/v2"
	"strings"

	"goalbert/models"
)

// RandomWeights returns weights of configuration c that no initialization has and every trained model may: a linear's of
// deviation 1/√columns, so that its output is as large as its input, embeddings of 1, biases of 0.2, norms about 1. With
// zeros for biases and ones for norms, a graph without them would compute the same.
func RandomWeights(c models.Config, seed uint64) *models.Weights {
	w := models.NewWeights(c)
	norms := w.Parameters.Norms()
	random := rand.New(rand.NewPCG(seed, 1))
	for _, p := range w.Parameters.Order {
		mean, deviation := 0.0, 0.2
		switch {
		case norms[p] && strings.HasSuffix(p.Name, "weight"):
			mean, deviation = 1, 0.1
		case len(p.Shape) == 2 && strings.Contains(p.Name, "_embeddings."):
			deviation = 1
		case len(p.Shape) == 2:
			deviation = 1 / math.Sqrt(float64(p.Shape[1]))
		}
		data := w.Tensor(p)
		for i := range data {
			data[i] = float32(mean + deviation*random.NormFloat64())
		}
	}
	return w
}
