package export

import "goalbert/models"

// feedForward is ffn_output(f(ffn(x))) (batch·sequence, H).
func (g *graph) feedForward(name, x string, w models.LayerParameters) string {
	inner := g.linear(name+"ffn", x, w.FFN)
	inner = g.activate(name+"ffn_activation", inner)
	return g.linear(name+"ffn_output", inner, w.FFNOutput)
}
