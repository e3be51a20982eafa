package parity

import (
	"cmp"
	"math"
	"slices"

	"goalbert/models"
)

// SaturatingName is the name of the batch of [Saturating].
const SaturatingName = "products near the bounds of sixteen bits"

// Saturating returns inputs that are worst for a processor without VNNI: the tokens whose embeddings, rounded to eight bits,
// have the largest pairs of products with the weights that they meet first, rounded to eight bits too. Such a processor adds a
// pair in sixteen bits, and keeps 32,767 of what is more. With weights of seven bits no pair is as large, with
// those of a file for VNNI these are: an engine that adds wrong is wrong here.
func Saturating(w *models.Weights) Batch {
	const sequences, most = 16, 8
	c := w.Config
	length := min(most, c.MaxPositionEmbeddings)
	type candidate struct {
		id       int32
		overflow float64
	}
	var all []candidate
	weights := levelsOf(w.Tensor(w.Parameters.EmbeddingHiddenMapping.Weight), c.EmbeddingSize)
	for id := 0; id < c.VocabSize; id += max(1, c.VocabSize/512) {
		all = append(all, candidate{int32(id), overflow(activationLevels(embedding(w, id)), weights)})
	}
	slices.SortStableFunc(all, func(a, b candidate) int {
		return cmp.Compare(b.overflow, a.overflow)
	})
	var list []Sequence
	for i := range sequences {
		s := Sequence{make([]int32, length), make([]int32, length)}
		for j := range s.InputIDs {
			s.InputIDs[j] = all[(i+j/2)%min(len(all), sequences)].id
		}
		list = append(list, s)
	}
	return newBatch(SaturatingName, list, length, c.PadTokenID, func(Sequence) int { return 0 })
}

// embedding is that of a token in the first position, as the mapping takes it.
func embedding(w *models.Weights, id int) []float64 {
	e, size := w.Parameters.Embeddings, w.Config.EmbeddingSize
	row := func(p *models.Parameter, r int) []float32 { return w.Tensor(p)[r*size : (r+1)*size] }
	word, position, kind := row(e.Word, id), row(e.Position, 0), row(e.TokenType, 0)
	x, mean, variance := make([]float64, size), 0.0, 0.0
	for i := range x {
		x[i] = float64(word[i]) + float64(position[i]) + float64(kind[i])
		mean += x[i] / float64(size)
	}
	for _, v := range x {
		variance += (v - mean) * (v - mean) / float64(size)
	}
	scale, bias := w.Tensor(e.LayerNorm.Weight), w.Tensor(e.LayerNorm.Bias)
	for i, v := range x {
		x[i] = (v-mean)/math.Sqrt(variance+w.Config.LayerNormEps)*float64(scale[i]) + float64(bias[i])
	}
	return x
}

// activationLevels rounds x to 0 to 255, as DynamicQuantizeLinear does.
func activationLevels(x []float64) []float64 {
	low, high := min(0, slices.Min(x)), max(0, slices.Max(x))
	step := (high - low) / 255
	levels := make([]float64, len(x))
	if step == 0 {
		return levels
	}
	zero := math.RoundToEven(-low / step)
	for i, v := range x {
		levels[i] = min(255, max(0, math.RoundToEven(v/step)+zero))
	}
	return levels
}

// levelsOf rounds the rows of a matrix to -127 to 127.
func levelsOf(values []float32, columns int) [][]float64 {
	var rows [][]float64
	for row := range slices.Chunk(values, columns) {
		low, high := span(row)
		step := max(-low, high, 0x1p-126) / 127
		levels := make([]float64, columns)
		for i, v := range row {
			levels[i] = math.RoundToEven(float64(v) / step)
		}
		rows = append(rows, levels)
	}
	return rows
}

// overflow is by how much pairs of products that lie beside each other are together above what sixteen bits hold.
func overflow(x []float64, rows [][]float64) float64 {
	sum := 0.0
	for _, row := range rows {
		for i := 0; i+1 < len(x); i += 2 {
			sum += max(0, math.Abs(x[i]*row[i]+x[i+1]*row[i+1])-math.MaxInt16)
		}
	}
	return sum
}
