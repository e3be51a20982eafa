package export

import (
	"goalbert/models"
	"goalbert/onnx"
)

// layerNorm normalizes the last axis of x.
func (g *graph) layerNorm(name, x string, l models.LayerNorm) string {
	return g.Node("LayerNormalization", name, []string{x, l.Weight.Name, l.Bias.Name},
		onnx.Int("axis", -1), onnx.Float("epsilon", float32(g.config.LayerNormEps)))
}
