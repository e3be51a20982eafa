package parity

import (
	"fmt"
	"math"

	"goalbert/export"
	"goalbert/internal/numeric"
	"goalbert/models"
	"goalbert/onnx"
)

// Dequantized returns the weights that a file holds, its whole numbers multiplied out. A float32 model with them differs from
// an int4 file by the order of sums alone, and from an int8 file by the rounding of activations besides.
func Dequantized(m *onnx.ModelProto, c models.Config) (*models.Weights, error) {
	w := models.NewWeights(c)
	initializers := byName(m)
	for _, p := range w.Parameters.Order {
		values, err := dequantize(p, w.Parameters.IsTable(p), initializers)
		if err != nil {
			return nil, fmt.Errorf("parity: %w; export the checkpoint again", err)
		}
		copy(w.Tensor(p), values)
	}
	return w, nil
}

func byName(m *onnx.ModelProto) map[string]*onnx.TensorProto {
	initializers := map[string]*onnx.TensorProto{}
	for _, t := range m.Graph.Initializer {
		initializers[t.Name] = t
	}
	return initializers
}

// dequantize returns the numbers of p in its own shape: level·scale of an int8 tensor, which has a scale a row, and
// (level - zero point)·scale of one of four bits, which has a scale a block.
func dequantize(p *models.Parameter, table bool, initializers map[string]*onnx.TensorProto) ([]float32, error) {
	t := initializers[p.Name]
	if t == nil {
		return nil, fmt.Errorf("%s is missing in the file", p.Name)
	}
	if !isWhole(t) {
		values, err := t.Floats()
		if err == nil && len(values) != p.Size() {
			err = fmt.Errorf("%s has %d numbers, want %d", p.Name, len(values), p.Size())
		}
		return values, err
	}
	if len(p.Shape) != 2 {
		return nil, fmt.Errorf("%s is of %v in the file, want a matrix for that", p.Name, onnx.TensorProto_DataType(t.DataType))
	}
	levels, err := t.Bytes()
	if err != nil {
		return nil, err
	}
	scales, err := numbersOf(initializers, export.ScaleName(p))
	if err != nil {
		return nil, err
	}
	if t.DataType == int32(onnx.TensorProto_INT8) {
		return dequantizeRows(p, table, levels, scales)
	}
	zeros := initializers[export.ZeroPointName(p)]
	if zeros == nil {
		return nil, fmt.Errorf("%s has no zero points in the file", p.Name)
	}
	packed, err := zeros.Bytes()
	if err != nil {
		return nil, err
	}
	return dequantizeBlocks(p, levels, packed, scales)
}

// isWhole reports whether the elements of t are levels.
func isWhole(t *onnx.TensorProto) bool {
	return t.DataType == int32(onnx.TensorProto_INT8) || t.DataType == int32(onnx.TensorProto_UINT8)
}

func numbersOf(initializers map[string]*onnx.TensorProto, name string) ([]float32, error) {
	t := initializers[name]
	if t == nil {
		return nil, fmt.Errorf("%s is missing in the file", name)
	}
	return t.Floats()
}

func dequantizeRows(p *models.Parameter, table bool, levels []byte, scales []float32) ([]float32, error) {
	rows, columns := p.Shape[0], p.Shape[1]
	if len(levels) != rows*columns || len(scales) != rows {
		return nil, fmt.Errorf("%s has %d levels and %d scales, want %d and %d", p.Name, len(levels), len(scales), rows*columns, rows)
	}
	values := make([]float32, len(levels))
	for r := range rows {
		for c := range columns {
			at := c*rows + r
			if table {
				at = r*columns + c
			}
			values[r*columns+c] = float32(int8(levels[at])) * scales[r]
		}
	}
	return values, nil
}

func dequantizeBlocks(p *models.Parameter, levels, zeros []byte, scales []float32) ([]float32, error) {
	rows, columns := p.Shape[0], p.Shape[1]
	blocks := len(scales) / rows
	if 2*len(levels) != rows*columns || blocks == 0 || columns%blocks != 0 || len(scales) != rows*blocks || len(zeros) != rows*((blocks+1)/2) {
		return nil, fmt.Errorf("%s has %d bytes of levels, %d scales and %d bytes of zero points, which do not fit its shape %v",
			p.Name, len(levels), len(scales), len(zeros), p.Shape)
	}
	size := columns / blocks
	values := make([]float32, rows*columns)
	for r := range rows {
		for c := range columns {
			i, b := r*columns+c, c/size
			level, zero := nibble(levels, i), nibble(zeros[r*((blocks+1)/2):], b)
			values[i] = float32(level-zero) * scales[r*blocks+b]
		}
	}
	return values, nil
}

// nibble is the i-th number of four bits, the even ones in the low halves of bytes.
func nibble(packed []byte, i int) int { return int(packed[i/2] >> (4 * (i % 2)) & 15) }

// compareDequantized compares what a file's whole numbers stand for with the checkpoint's tensor itself: no weight may be off
// by more than half of the step that the weights of its part need, whatever step the file has. So an exporter that is wrong
// cannot prove itself.
func compareDequantized(subject string, initializers map[string]*onnx.TensorProto, p *models.Parameter, w *models.Weights, o export.Options) Finding {
	name := p.Name + ", dequantized"
	got, err := dequantize(p, w.Parameters.IsTable(p), initializers)
	if err != nil {
		return mismatch(subject, name, err.Error())
	}
	want := w.Tensor(p)
	var halves []numeric.Tolerance // of each part
	size := p.Shape[1]
	switch {
	case initializers[p.Name].DataType == int32(onnx.TensorProto_UINT8):
		if size = export.BlockSize(size); len(got) != size*len(initializers[export.ScaleName(p)].RawData)/4 {
			return mismatch(subject, name, fmt.Sprintf("it has not a scale for each %d weights", size))
		}
		for start := 0; start < len(want); start += size {
			low, high := span(want[start : start+size])
			halves = append(halves, numeric.HalfStep((high-low)/14))
		}
	default:
		levels := highestLevel(p, w.Parameters, o)
		if o.PerTensor {
			size = len(want)
		}
		for start := 0; start < len(want); start += size {
			low, high := span(want[start : start+size])
			halves = append(halves, numeric.HalfStep(max(-low, high)/levels))
		}
	}
	return newFinding(subject, name, numeric.CompareEach(got, want, func(i int) numeric.Tolerance { return halves[i/size] }), "")
}

// highestLevel is that of an int8 tensor: of eight bits where the processor adds them right, and in tables that nothing is
// multiplied with.
func highestLevel(p *models.Parameter, t *models.Parameters, o export.Options) float64 {
	lookedUp := t.IsTable(p) && (p != t.Embeddings.Word || t.Predictions == nil)
	if lookedUp || o.Target == export.VNNI {
		return 127
	}
	return 63
}

// span are the lowest and the highest of values and 0.
func span(values []float32) (low, high float64) {
	for _, v := range values {
		low, high = math.Min(low, float64(v)), math.Max(high, float64(v))
	}
	return low, high
}
