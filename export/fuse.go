package export

import (
	"fmt"
	"math"

	"goalbert/models"
	"goalbert/onnx"
)

// Fuse names an engine whose own operators, of several standard ones each, the graph is made of.
type Fuse string

// FuseORT has ONNX Runtime's: MultiHeadAttention on query, key and value, which keeps the weights as they are in the
// checkpoint (its Attention wants all three in one, transposed); SkipLayerNormalization for a residual with its norm;
// Gelu and FastGelu. On a GPU they are one kernel each. In FP16 attention is float16 from query to context: its softmax is
// the kernel's, which adds in float32. A processor computes it in float32, between casts that ONNX Runtime inserts.
//
// https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
const FuseORT Fuse = "ort"

// ParseFuse returns the engine of that name; empty is none.
func ParseFuse(name string) (Fuse, error) {
	switch f := Fuse(name); f {
	case "", FuseORT:
		return f, nil
	}
	return "", fmt.Errorf("fuse is %q, want %s, or none for standard operators", name, FuseORT)
}

// checkFuse refuses cells that are not fused.
func (o Options) checkFuse() error {
	if _, err := ParseFuse(string(o.Fuse)); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	switch {
	case o.Fuse == "":
		return nil
	case o.Layers != Unrolled:
		return fmt.Errorf("export: fused operators are for layers %s, the layers are %s: ONNX Runtime's optimizer, which works around them, does not look into a body",
			Unrolled, o.Layers)
	case o.Precision.quantized():
		return fmt.Errorf("export: fused operators are for precision %s and %s, the precision is %s: its products are operators of their own",
			FP32, FP16, o.Precision)
	}
	return nil
}

// keyMask is the mask of keys as MultiHeadAttention takes it (batch, sequence): 0 where a key is not attended to.
func (g *graph) keyMask(mask string) string {
	return g.Node("Cast", "attention_mask.int32", []string{mask}, onnx.Int("to", int64(onnx.TensorProto_INT32)))
}

// fusedAttention is attention in one operator. Without the attribute, hidden keys would have -10,000 added and not the
// lowest number.
func (g *graph) fusedAttention(name, query, key, value string) string {
	states := func(of, x string) string {
		return g.Node("Reshape", name+of+".states", []string{x, g.shape(g.config.HiddenSize)})
	}
	context := g.NodeOf(onnx.Microsoft, "MultiHeadAttention", name+"context.states",
		[]string{states("query", query), states("key", key), states("value", value), "", g.keys},
		onnx.Int("num_heads", int64(g.config.NumAttentionHeads)), onnx.Float("mask_filter_value", -math.MaxFloat32))
	return g.Node("Reshape", name+"context", []string{context, g.int64s(-1, g.config.HiddenSize)})
}

// residualNorm is the norm of x + y, float32 both.
func (g *graph) residualNorm(residual, norm, x, y string, l models.LayerNorm) string {
	if g.fuse == FuseORT {
		return g.NodeOf(onnx.Microsoft, "SkipLayerNormalization", norm, []string{x, y, l.Weight.Name, l.Bias.Name},
			onnx.Float("epsilon", float32(g.config.LayerNormEps)))
	}
	return g.layerNorm(norm, g.Node("Add", residual, []string{x, y}), l)
}

// fusedActivation is one operator for the functions that there is one for.
func (g *graph) fusedActivation(name, x string) (y string, fused bool) {
	operator := map[models.Activation]string{models.GELU: "Gelu", models.GELUNew: "FastGelu"}[g.config.HiddenAct]
	if g.fuse != FuseORT || operator == "" {
		return "", false
	}
	return g.NodeOf(onnx.Microsoft, operator, name, []string{x}), true
}
