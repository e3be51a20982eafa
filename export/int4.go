package export

import (
	"io"
	"math"

	"goalbert/models"
	"goalbert/onnx"
)

// Weights in a block of int4: 32, or 16 in rows that are not made of 32.
const block, smallBlock = 32, 16

// BlockSize is how many int4 weights of a matrix of that many columns have a scale together.
func BlockSize(columns int) int {
	if columns%block != 0 {
		return smallBlock
	}
	return block
}

// addInt4 makes p (rows, columns) unsigned numbers of four bits, two in a byte, the even column in its low half, with a scale
// and a zero point for each block: that zero point with which the scale is smallest. On normal weights the error is a tenth
// smaller than with 0 in the middle. Zero points of a row are two in a byte too.
func (g *graph) addInt4(p *models.Parameter, values []float32) {
	rows, columns := p.Shape[0], p.Shape[1]
	size := BlockSize(columns)
	blocks := columns / size
	scales, zeros := make([]float32, rows*blocks), make([]float64, rows*blocks)
	zeroBytes := (blocks + 1) / 2
	packedZeros := make([]uint8, rows*zeroBytes)
	for i := range scales {
		scales[i], zeros[i] = blockScale(values[i*size : (i+1)*size])
		packedZeros[i/blocks*zeroBytes+i%blocks/2] |= uint8(zeros[i]) << (4 * (i % blocks % 2))
	}
	shape := []int{rows, blocks, size / 2}
	if g.isTable(p) {
		shape = []int{rows, columns / 2}
	}
	g.Initializer(onnx.NewFloats(ScaleName(p), []int{rows, blocks}, scales))
	g.Initializer(onnx.NewUint8s(ZeroPointName(p), []int{rows, zeroBytes}, packedZeros))
	g.Defer(onnx.Deferred(p.Name, onnx.TensorProto_UINT8, shape), func(w io.Writer) error {
		levels := make([]byte, size/2) // of a block
		for b, scale := range scales {
			zero := zeros[b]
			clear(levels)
			for i, v := range values[b*size : (b+1)*size] {
				level := uint8(nearest(v, scale, -zero, 15-zero) + zero)
				levels[i/2] |= level << (4 * (i % 2))
			}
			if _, err := w.Write(levels); err != nil {
				return err
			}
		}
		return nil
	})
}

// blockScale returns the least scale with which all weights lie between -zero and 15-zero steps, for any zero point.
func blockScale(weights []float32) (scale float32, zero float64) {
	low, high := extremes(weights)
	least := math.Inf(1)
	for z := range 16 {
		below, above := float64(z), float64(15-z)
		if s := max(steps(-low, below), steps(high, above)); s < least {
			least, zero = s, below
		}
	}
	return positive(least), zero
}

// steps is the size of n steps to a distance: infinite of none to a distance that is not 0.
func steps(distance, n float64) float64 {
	if distance == 0 {
		return 0
	}
	return distance / n
}

// int4Rows are the rows of an int4 table that ids name, widened.
func (g *graph) int4Rows(name string, table *models.Parameter, ids string) string {
	return g.NodeOf(onnx.Microsoft, "GatherBlockQuantized", name,
		[]string{table.Name, ids, ScaleName(table), ZeroPointName(table)},
		onnx.Int("gather_axis", 0), onnx.Int("quantize_axis", 1), onnx.Int("bits", 4),
		onnx.Int("block_size", int64(BlockSize(table.Shape[1]))))
}

// int4Linear is a linear with int4 weights, of float32 rows: the weights are widened as they are multiplied. (Level 1 of
// accuracy is that: level 4 would round x too.)
func (g *graph) int4Linear(name, x string, l models.Linear) string {
	rows, columns := l.Weight.Shape[0], l.Weight.Shape[1]
	size := BlockSize(columns)
	weight := l.Weight.Name
	if g.isTable(l.Weight) {
		weight = g.Node("Reshape", name+".weight", []string{weight, g.int64s(rows, columns/size, size/2)})
	}
	y := g.NodeOf(onnx.Microsoft, "MatMulNBits", name+".product",
		[]string{x, weight, ScaleName(l.Weight), ZeroPointName(l.Weight)},
		onnx.Int("K", int64(columns)), onnx.Int("N", int64(rows)), onnx.Int("bits", 4), onnx.Int("block_size", int64(size)),
		onnx.Int("accuracy_level", 1))
	return g.Node("Add", name, []string{y, l.Bias.Name})
}
