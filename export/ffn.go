package export

import "goalbert/models"

// feedForward is ffn_output(f(ffn(x))) (batch·sequence, H).
func (g *graph) feedForward(name, x string, w models.LayerParameters) string {
	inner := g.linear(name+"ffn", g.half(name+"ffn.input", x), w.FFN)
	inner = g.inHalf(func() string { return g.activate(name+"ffn_activation", inner) })
	return g.widened(name+"ffn_output", inner, w.FFNOutput)
}
