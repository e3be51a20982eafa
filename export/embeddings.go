package export

import (
	"math"

	"goalbert/models"
	"goalbert/onnx"
)

// sumEmbeddings is word + position + token type (batch, sequence, E). Positions are the first rows of their table, as
// many as the sequence has; a longer sequence than the table leaves shapes that do not fit, which every engine refuses.
func (g *graph) sumEmbeddings(ids, types string) string {
	e := g.table.Embeddings
	word := g.rows("embeddings.word", e.Word, ids)
	tokenType := g.rows("embeddings.token_type", e.TokenType, types)
	position := g.firstRows("embeddings.position", e.Position, ids)
	word, tokenType = g.full("embeddings.word.float", word), g.full("embeddings.token_type.float", tokenType)
	position = g.full("embeddings.position.float", position)
	sum := g.Node("Add", "embeddings.word_token_type", []string{word, tokenType})
	return g.Node("Add", "embeddings.sum", []string{sum, position})
}

// rows are the rows of a table that ids name.
func (g *graph) rows(name string, table *models.Parameter, ids string) string {
	if g.quantized[table] && g.precision == INT8 {
		return g.int8Rows(name, table, ids)
	}
	if g.quantized[table] {
		return g.int4Rows(name, table, ids)
	}
	return g.Node("Gather", name, []string{table.Name, ids})
}

// firstRows are the first rows of a table, as many as sequences of ids have places. Those of whole numbers are looked up by
// their numbers.
func (g *graph) firstRows(name string, table *models.Parameter, ids string) string {
	length := g.Node("Shape", "sequence", []string{ids}, onnx.Int("start", 1))
	if !g.quantized[table] {
		return g.Node("Slice", name, []string{table.Name, g.int64s(0), length, g.int64s(0)})
	}
	numbers := make([]int64, table.Shape[0])
	for i := range numbers {
		numbers[i] = int64(i)
	}
	all := g.whole.Initializer(onnx.NewInt64s("position_ids", []int{len(numbers)}, numbers))
	return g.rows(name, table, g.Node("Slice", "positions", []string{all, g.int64s(0), length, g.int64s(0)}))
}

// mask makes of the attention mask what attention and the sentence embedding take.
func (g *graph) mask(mask string) {
	if g.fuse == "" || g.embeddingOutput {
		g.attended = g.Node("Cast", "attention_mask.float", []string{mask}, onnx.Int("to", int64(onnx.TensorProto_FLOAT)))
	}
	if g.fuse == FuseORT {
		g.keys = g.keyMask(mask)
		return
	}
	g.attentionBias = g.maskBias()
}

// maskBias is what is added to attention scores (batch, 1, 1, sequence): 0 for keys that are attended to, and the lowest
// number for the others, so that their probability is 0.
func (g *graph) maskBias() string {
	broadcast := g.Node("Unsqueeze", "attention_mask.broadcast", []string{g.attended, g.int64s(1, 2)})
	hidden := g.Node("Sub", "attention_mask.hidden", []string{g.float(1), broadcast})
	return g.Node("Mul", "attention_bias", []string{hidden, g.float(-math.MaxFloat32)})
}
