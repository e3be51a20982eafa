package export

import (
	"goalbert/models"
	"goalbert/onnx"
)

// linear is y = xWᵀ + b on rows x (rows, in), with weight (out, in) and bias (out) as the checkpoint has them.
func (g *graph) linear(name, x string, l models.Linear) string {
	return g.Node("Gemm", name, []string{x, l.Weight.Name, l.Bias.Name}, onnx.Int("transB", 1))
}
