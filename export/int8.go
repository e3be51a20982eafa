package export

import (
	"io"
	"math"

	"goalbert/models"
	"goalbert/onnx"
)

// addInt8 makes p (rows, columns) int8, with a scale for each row. Those of a linear are stored as (columns, rows), which is
// how the product takes them.
func (g *graph) addInt8(p *models.Parameter, values []float32, o Options) {
	rows, columns := p.Shape[0], p.Shape[1]
	lowest, highest := g.levels(p, o.Target)
	scales := make([]float32, rows)
	for r := range scales {
		scales[r] = rowScale(values[r*columns:(r+1)*columns], lowest, highest)
	}
	if o.PerTensor {
		scale := rowScale(values, lowest, highest)
		for r := range scales {
			scales[r] = scale
		}
	}
	table := g.isTable(p)
	shape := []int{columns, rows}
	if table {
		shape = p.Shape
	}
	g.Initializer(onnx.NewFloats(ScaleName(p), []int{rows}, scales))
	g.Defer(onnx.Deferred(p.Name, onnx.TensorProto_INT8, shape), func(w io.Writer) error {
		level := func(r, c int) byte {
			return byte(int8(nearest(values[r*columns+c], scales[r], lowest, highest)))
		}
		if table {
			return writeLevels(w, rows, columns, level)
		}
		return writeLevels(w, columns, rows, func(c, r int) byte { return level(r, c) })
	})
}

// writeLevels writes a matrix of bytes, some rows at a time, which lie beside each other where a column does in memory.
func writeLevels(w io.Writer, rows, columns int, level func(r, c int) byte) error {
	const together = 16 // float32 in a line of the cache
	levels := make([]byte, together*columns)
	for begin := 0; begin < rows; begin += together {
		n := min(together, rows-begin)
		for c := range columns {
			for r := range n {
				levels[r*columns+c] = level(begin+r, c)
			}
		}
		if _, err := w.Write(levels[:n*columns]); err != nil {
			return err
		}
	}
	return nil
}

// levels are the whole numbers that weights of p may be: seven bits where an activation is multiplied by them on a processor
// that may lack VNNI.
func (g *graph) levels(p *models.Parameter, target Target) (lowest, highest float64) {
	multiplied := !g.isTable(p) || p == g.table.Embeddings.Word && g.table.Predictions != nil
	if multiplied && target != VNNI {
		return -64, 63
	}
	return -128, 127
}

// rowScale is the least scale with which all values are between the lowest and the highest level.
func rowScale(values []float32, lowest, highest float64) float32 {
	low, high := extremes(values)
	return positive(max(low/lowest, high/highest))
}

// extremes are the lowest and the highest of values and 0.
func extremes(values []float32) (low, high float64) {
	for _, v := range values {
		low, high = min(low, float64(v)), max(high, float64(v))
	}
	return low, high
}

// positive is a scale in float32; where all values are 0, or too small for a scale to be a number, it is the least normal one.
func positive(scale float64) float32 { return max(float32(scale), 0x1p-126) }

// nearest is the level that is nearest to v/scale.
func nearest(v, scale float32, lowest, highest float64) float64 {
	return min(max(math.RoundToEven(float64(v)/float64(scale)), lowest), highest)
}

// int8Rows are the rows of an int8 table that ids name, widened.
func (g *graph) int8Rows(name string, table *models.Parameter, ids string) string {
	rows := g.Node("Gather", name+".levels", []string{table.Name, ids})
	rows = g.Node("Cast", name+".float", []string{rows}, onnx.Int("to", int64(onnx.TensorProto_FLOAT)))
	scales := g.Node("Gather", name+".scales", []string{ScaleName(table), ids})
	scales = g.Node("Unsqueeze", name+".scale", []string{scales, g.int64s(-1)})
	return g.Node("Mul", name, []string{rows, scales})
}

// rounded is x in uint8 of the range that it has: (levels - zero)·scale.
type rounded struct{ levels, scale, zero string }

// round rounds x, once however many products take it.
func (g *graph) round(x string) rounded {
	r, there := g.rounded[x]
	if !there {
		r = rounded{x + ".rounded", x + ".rounded.scale", x + ".rounded.zero_point"}
		g.Outputs("DynamicQuantizeLinear", x+".rounded", []string{x}, []string{r.levels, r.scale, r.zero})
		g.rounded[x] = r
	}
	return r
}

// int8Linear is a linear with int8 weights, of x rounded to uint8 by its own range. The products are added as int32, and
// scaled by that of x and of each column. ONNX Runtime makes one kernel of it all.
func (g *graph) int8Linear(name, x string, l models.Linear) string {
	r := g.round(x)
	weight := l.Weight.Name
	if g.isTable(l.Weight) { // engines turn it once, as they load it
		weight = g.Node("Transpose", name+".weight", []string{weight}, onnx.Ints("perm", 1, 0))
	}
	y := g.Node("MatMulInteger", name+".integer", []string{r.levels, weight, r.zero})
	y = g.Node("Cast", name+".float", []string{y}, onnx.Int("to", int64(onnx.TensorProto_FLOAT)))
	scale := g.Node("Mul", name+".product.scale", []string{r.scale, ScaleName(l.Weight)})
	y = g.Node("Mul", name+".product", []string{y, scale})
	return g.Node("Add", name, []string{y, l.Bias.Name})
}
