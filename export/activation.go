package export

import (
	"math"

	"goalbert/models"
)

// activate is f(x) for the configured hidden_act.
func (g *graph) activate(name, x string) string {
	if y, fused := g.fusedActivation(name, x); fused {
		return y
	}
	switch g.config.HiddenAct {
	case models.ReLU:
		return g.Node("Relu", name, []string{x})
	case models.SiLU:
		sigmoid := g.Node("Sigmoid", name+".sigmoid", []string{x})
		return g.Node("Mul", name, []string{x, sigmoid})
	case models.GELU:
		return g.gelu(name, x)
	}
	return g.geluNew(name, x)
}

// gelu is x·(1 + erf(x/√2))·½, in the order that ONNX Runtime fuses to one Gelu.
func (g *graph) gelu(name, x string) string {
	y := g.Node("Div", name+".div", []string{x, g.float(math.Sqrt2)})
	y = g.Node("Erf", name+".erf", []string{y})
	y = g.Node("Add", name+".add", []string{y, g.float(1)})
	y = g.Node("Mul", name+".mul", []string{x, y})
	return g.Node("Mul", name, []string{y, g.float(0.5)})
}

// geluNew is ½x·(1 + tanh(√(2/π)·(x + 0.044715x³))), in the order that ONNX Runtime fuses to one FastGelu.
func (g *graph) geluNew(name, x string) string {
	y := g.Node("Pow", name+".pow", []string{x, g.float(3)})
	y = g.Node("Mul", name+".cubic", []string{y, g.float(0.044715)})
	y = g.Node("Add", name+".inner", []string{x, y})
	y = g.Node("Mul", name+".scaled", []string{y, g.float(float32(math.Sqrt(2 / math.Pi)))})
	y = g.Node("Tanh", name+".tanh", []string{y})
	y = g.Node("Add", name+".add", []string{y, g.float(1)})
	half := g.Node("Mul", name+".half", []string{x, g.float(0.5)})
	return g.Node("Mul", name, []string{half, y})
}
