package export

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"goalbert/models"
)

// Weights of whole numbers. Every matrix is divided into parts, each of which has a scale s and stores w as the whole
// number q that is nearest to w/s, so that q·s is off by at most s/2. What else there is, biases, norms and the classifier of
// a few rows, stays float32.
//
//	int8   a part is a row of the checkpoint's tensor, the weights of one output; 0 is 0
//	int4   a part is a block of 32 weights in a row, with a zero point z: (q-z)·s
//
// Embeddings have the same form: the rows that are looked up are widened. So the word embeddings are stored once, for the
// lookup and for the tied decoder.

// Target is the kind of processor that an int8 file is for.
type Target string

// VNNI is a processor that adds products of eight bits in 32 bits. Without it ONNX Runtime adds pairs of products in 16
// bits, with saturation: a pair of an unsigned activation and a signed weight each is up to 2·255·127 = 64,770, more than
// 32,767. With weights of seven bits it is at most 2·255·64 = 32,640, and right on every processor.
const VNNI Target = "vnni"

// ParseTarget returns the target of that name; empty is every processor.
func ParseTarget(name string) (Target, error) {
	switch t := Target(name); t {
	case "", VNNI:
		return t, nil
	}
	return "", fmt.Errorf("target is %q, want %s, or none for every processor", name, VNNI)
}

// quantized reports whether weights are whole numbers.
func (p Precision) quantized() bool { return p == INT8 || p == INT4 }

// checkQuantized refuses cells that are not exported, and options that other cells have.
func (o Options) checkQuantized() error {
	switch {
	case !o.Precision.quantized() && len(o.Keep) > 0:
		return fmt.Errorf("export: matrices are kept in %s of precision %s and %s, the precision is %s", FP32, INT8, INT4, o.Precision)
	case o.Precision != INT8 && (o.Target != "" || o.PerTensor):
		return fmt.Errorf("export: a target and scales per tensor are options of precision %s, whose products are of whole numbers; the precision is %s",
			INT8, o.Precision)
	case o.Precision == INT8 && o.Layers == Function:
		return fmt.Errorf("export: precision %s has layers %s or %s: a %s would take every scale beside its weight, and its file is no smaller than the %s's",
			INT8, Unrolled, Loop, Function, Loop)
	case o.Precision == INT4 && o.Layers != Unrolled:
		return fmt.Errorf("export: precision %s has layers %s: its operators are ONNX Runtime's own, and layers %s are of standard operators alone",
			INT4, Unrolled, o.Layers)
	}
	if _, err := ParseTarget(string(o.Target)); err != nil {
		return fmt.Errorf("export: %w", err)
	}
	return nil
}

// checkMatrices refuses matrices to keep that the model does not have, and those that cannot be divided into blocks.
func (o Options) checkMatrices(c models.Config) error {
	if !o.Precision.quantized() {
		return nil
	}
	var names []string
	for _, p := range matrices(models.NewParameters(c)) {
		names = append(names, p.Name)
		if columns := p.Shape[1]; o.Precision == INT4 && columns%smallBlock != 0 {
			return fmt.Errorf("export: precision %s has blocks of %d or %d weights, and %s has %d columns, no multiple; choose %s",
				INT4, block, smallBlock, p.Name, columns, INT8)
		}
	}
	for i, name := range o.Keep {
		if !slices.Contains(names, name) || slices.Contains(o.Keep[:i], name) {
			return fmt.Errorf("export: %q, to be kept in %s, is no matrix of the model, or is named twice; there are %s",
				name, FP32, strings.Join(names, ", "))
		}
	}
	return nil
}

// Matrices returns the parameters of a model of configuration c that whole numbers are stored for, by whose names
// Options.Keep keeps them: all tables and linears but the classifiers.
func Matrices(c models.Config) []*models.Parameter { return matrices(models.NewParameters(c)) }

// matrices are the parameters that whole numbers are stored for: all tables and linears but the classifiers.
func matrices(t *models.Parameters) []*models.Parameter {
	list := []*models.Parameter{
		t.Embeddings.Word, t.Embeddings.Position, t.Embeddings.TokenType, t.EmbeddingHiddenMapping.Weight,
	}
	for _, group := range t.LayerGroups {
		for _, l := range group {
			for _, linear := range []models.Linear{l.Query, l.Key, l.Value, l.Dense, l.FFN, l.FFNOutput} {
				list = append(list, linear.Weight)
			}
		}
	}
	if t.Pooler != nil {
		list = append(list, t.Pooler.Weight)
	}
	if t.Predictions != nil {
		list = append(list, t.Predictions.Dense.Weight)
	}
	return list
}

// quantizedBy are the parameters whose numbers are whole in this file.
func (g *graph) quantizedBy(o Options) map[*models.Parameter]bool {
	quantized := map[*models.Parameter]bool{}
	if !o.Precision.quantized() {
		return quantized
	}
	for _, p := range matrices(g.table) {
		quantized[p] = !slices.Contains(o.Keep, p.Name)
	}
	return quantized
}

// isTable reports whether rows of p are looked up.
func (g *graph) isTable(p *models.Parameter) bool { return g.table.IsTable(p) }

// addQuantized makes p initializers of whole numbers.
func (g *graph) addQuantized(p *models.Parameter, values []float32, o Options) error {
	for i, v := range values {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return fmt.Errorf("export: precision %s: %s has %v at %d, want a number; the checkpoint is damaged", o.Precision, p.Name, v, i)
		}
	}
	if o.Precision == INT4 {
		g.addInt4(p, values)
		return nil
	}
	g.addInt8(p, values, o)
	return nil
}

// ScaleName is the initializer of the scales of p's whole numbers.
func ScaleName(p *models.Parameter) string { return p.Name + ".scale" }

// ZeroPointName is the initializer of their zero points, where they have some.
func ZeroPointName(p *models.Parameter) string { return p.Name + ".zero_point" }
