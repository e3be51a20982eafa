package export

import (
	"math"

	"goalbert/onnx"
)

// sumEmbeddings is word + position + token type (batch, sequence, E). Positions are the first rows of their table, as
// many as the sequence has; a longer sequence than the table leaves shapes that do not fit, which every engine refuses.
func (g *graph) sumEmbeddings(ids, types string) string {
	e := g.table.Embeddings
	word := g.Node("Gather", "embeddings.word", []string{e.Word.Name, ids})
	tokenType := g.Node("Gather", "embeddings.token_type", []string{e.TokenType.Name, types})
	length := g.Node("Shape", "sequence", []string{ids}, onnx.Int("start", 1))
	position := g.Node("Slice", "embeddings.position", []string{e.Position.Name, g.int64s(0), length, g.int64s(0)})
	word, tokenType = g.full("embeddings.word.float", word), g.full("embeddings.token_type.float", tokenType)
	position = g.full("embeddings.position.float", position)
	sum := g.Node("Add", "embeddings.word_token_type", []string{word, tokenType})
	return g.Node("Add", "embeddings.sum", []string{sum, position})
}

// maskBias is what is added to attention scores (batch, 1, 1, sequence): 0 for keys that are attended to, and the lowest
// number for the others, so that their probability is 0.
func (g *graph) maskBias(mask string) string {
	g.attended = g.Node("Cast", "attention_mask.float", []string{mask}, onnx.Int("to", int64(onnx.TensorProto_FLOAT)))
	broadcast := g.Node("Unsqueeze", "attention_mask.broadcast", []string{g.attended, g.int64s(1, 2)})
	hidden := g.Node("Sub", "attention_mask.hidden", []string{g.float(1), broadcast})
	return g.Node("Mul", "attention_bias", []string{hidden, g.float(-math.MaxFloat32)})
}
