package export

import (
	"goalbert/models"
	"goalbert/onnx"
)

// linear is y = xWᵀ + b on rows x (rows, in), with weight (out, in) and bias (out) as the checkpoint has them.
func (g *graph) linear(name, x string, l models.Linear) string {
	if g.quantized[l.Weight] && g.precision == INT8 {
		return g.int8Linear(name, x, l)
	}
	if g.quantized[l.Weight] {
		return g.int4Linear(name, x, l)
	}
	return g.Node("Gemm", name, []string{x, l.Weight.Name, l.Bias.Name}, onnx.Int("transB", 1))
}

// widened is a linear whose result is float32, of an x that is as products take it.
func (g *graph) widened(name, x string, l models.Linear) string {
	if g.precision != FP16 {
		return g.linear(name, x, l)
	}
	return g.full(name, g.linear(name+".half", x, l))
}

// product is a linear of float32 rows whose result is float32.
func (g *graph) product(name, x string, l models.Linear) string {
	return g.widened(name, g.half(name+".input", x), l)
}
