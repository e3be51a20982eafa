package export

import (
	"math"

	"goalbert/onnx"
)

// attention is scaled dot-product attention of A heads of D columns: of query, key and value (batch·sequence, H) the
// context (batch·sequence, H),
//
//	softmax(query·keyᵀ/√D + bias)·value
func (g *graph) attention(name, query, key, value string) string {
	if g.fuse == FuseORT {
		return g.fusedAttention(name, query, key, value)
	}
	q := g.heads(name+"query.heads", query, 0, 2, 1, 3)
	k := g.heads(name+"key.heads", key, 0, 2, 3, 1) // transposed
	v := g.heads(name+"value.heads", value, 0, 2, 1, 3)
	scores := g.scores(name, q, k)
	scores = g.Node("Add", name+"attention_scores.masked", []string{scores, g.attentionBias})
	probs := g.Node("Softmax", name+"attention_probs", []string{scores}, onnx.Int("axis", -1))
	probs = g.half(name+"attention_probs.half", probs)
	context := g.Node("MatMul", name+"context.heads", []string{probs, v})
	context = g.Node("Transpose", name+"context.transposed", []string{context}, onnx.Ints("perm", 0, 2, 1, 3))
	return g.Node("Reshape", name+"context", []string{context, g.int64s(-1, g.config.HiddenSize)})
}

// scores is query·keyᵀ/√D in float32.
func (g *graph) scores(name, q, k string) string {
	scale := float32(1 / math.Sqrt(float64(g.config.HeadSize())))
	if g.precision == FP16 {
		q = g.inHalf(func() string { return g.Node("Mul", name+"query.scaled", []string{q, g.float(scale)}) })
		return g.full(name+"attention_scores.scaled", g.Node("MatMul", name+"attention_scores", []string{q, k}))
	}
	scores := g.Node("MatMul", name+"attention_scores", []string{q, k})
	return g.Node("Mul", name+"attention_scores.scaled", []string{scores, g.float(scale)})
}

// heads divides x (batch·sequence, H) into (batch, sequence, A, D), and permutes these axes.
func (g *graph) heads(name, x string, perm ...int64) string {
	shape := g.shape(g.config.NumAttentionHeads, g.config.HeadSize())
	x = g.Node("Reshape", name+".split", []string{x, shape})
	return g.Node("Transpose", name, []string{x}, onnx.Ints("perm", perm...))
}

// shape is the tensor (batch, sequence, dims...).
func (g *graph) shape(dims ...int) string {
	return g.shared("shape", dims, func(name string) string {
		return g.Node("Concat", name, []string{g.batchSequence, g.int64s(dims...)}, onnx.Int("axis", 0))
	})
}
