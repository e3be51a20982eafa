package export

import (
	"fmt"

	"goalbert/models"
	"goalbert/onnx"
)

// Precision is the type of the weights and of what products compute.
type Precision string

const (
	FP32 Precision = "fp32"
	// FP16 has weights, products and the feed-forward activation in float16. Residuals, norms, softmax, the pooler's tanh
	// and all outputs are float32: no sum of squares or of exponentials is taken in float16, and the lowest number of the
	// attention bias stays finite. Queries are scaled before their product with keys, so that it is no larger than scores
	// are.
	FP16 Precision = "fp16"
	// INT8 has weights of eight bits, or seven, and products of whole numbers, for which activations are rounded by the range
	// that they have in the run. What is between products is float32.
	INT8 Precision = "int8"
	// INT4 has weights of four bits; everything that is computed is float32.
	INT4 Precision = "int4"
)

// ParsePrecision returns the precision of that name.
func ParsePrecision(name string) (Precision, error) {
	switch p := Precision(name); p {
	case FP32, FP16, INT8, INT4:
		return p, nil
	}
	return "", fmt.Errorf("precision is %q, want %s, %s, %s or %s", name, FP32, FP16, INT8, INT4)
}

// half is x as products take it.
func (g *graph) half(name, x string) string {
	if g.precision != FP16 {
		return x
	}
	return g.Node("Cast", name, []string{x}, onnx.Int("to", int64(onnx.TensorProto_FLOAT16)))
}

// full is x, as a product gives it, in float32.
func (g *graph) full(name, x string) string {
	if g.precision != FP16 {
		return x
	}
	return g.Node("Cast", name, []string{x}, onnx.Int("to", int64(onnx.TensorProto_FLOAT)))
}

// inHalf adds nodes whose constants are of the type of products.
func (g *graph) inHalf(add func() string) string {
	g.halfConstants = g.precision == FP16
	defer func() { g.halfConstants = false }()
	return add()
}

// addWeights makes every parameter an initializer. Those of norms stay float32.
func (g *graph) addWeights(w *models.Weights, o Options) error {
	norms := w.Parameters.Norms()
	g.quantized = g.quantizedBy(o)
	for _, p := range w.Parameters.Order {
		if g.quantized[p] {
			if err := g.addQuantized(p, w.Tensor(p), o); err != nil {
				return err
			}
			continue
		}
		if g.precision == FP16 && !norms[p] {
			t, write, err := onnx.DeferHalves(p.Name, p.Shape, w.Tensor(p))
			if err != nil {
				return fmt.Errorf("export: precision %s: %w", g.precision, err)
			}
			g.Defer(t, write)
			continue
		}
		g.Initializer(onnx.NewFloats(p.Name, p.Shape, w.Tensor(p)))
	}
	return nil
}
