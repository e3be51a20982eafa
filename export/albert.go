package export

import (
	"fmt"

	"goalbert/models"
	"goalbert/onnx"
)

// graph is an ALBERT being written down. Values are named by strings; hidden states are rows (batch·sequence, H), as in
// native.
type graph struct {
	*onnx.Builder
	config    models.Config
	table     *models.Parameters
	constants map[string]string // shared constants, by what they are

	batchSequence string // (2): the numbers of rows and columns of the input
	attentionBias string // (batch, 1, 1, sequence): 0 where a key is attended to, else the lowest number
}

// forward is the whole model: the encoder, and every head that the model has.
func (g *graph) forward() {
	ids, mask, types := g.inputs()
	hidden := g.embeddings(ids, types)
	g.attentionBias = g.maskBias(mask)
	hidden = g.encoder(hidden)
	g.predictions(hidden)
	if g.table.Pooler != nil {
		g.sentenceOrder(g.pooler(hidden))
	}
}

// inputs declares the three inputs (batch, sequence).
func (g *graph) inputs() (ids, mask, types string) {
	var names []string
	for _, name := range g.config.Architecture.Inputs() {
		names = append(names, g.Input(name, onnx.TensorProto_INT64, "batch", "sequence"))
	}
	g.batchSequence = g.Node("Shape", "batch_sequence", []string{names[0]})
	return names[0], names[1], names[2]
}

// embeddings is the first layer's input (batch·sequence, H): the sum of the word, position and token type embeddings,
// their norm, and the linear from embedding size to hidden size that factorizes the embedding.
func (g *graph) embeddings(ids, types string) string {
	sum := g.sumEmbeddings(ids, types)
	normal := g.layerNorm("embeddings", sum, g.table.Embeddings.LayerNorm)
	rows := g.Node("Reshape", "embeddings.rows", []string{normal, g.int64s(-1, g.config.EmbeddingSize)})
	return g.linear("embedding_hidden_mapping_in", rows, g.table.EmbeddingHiddenMapping)
}

// encoder applies the layers one after the other. Each depth uses the weights of its group, which other depths use
// too: in the released models there is one layer, used L times.
func (g *graph) encoder(hidden string) string {
	for i := range g.config.NumHiddenLayers * g.config.InnerGroupNum {
		hidden = g.layer(hidden, i)
	}
	return hidden
}

// layer is the i-th use of a layer: self-attention and feed-forward, each with a residual and a norm after it.
func (g *graph) layer(input string, i int) string {
	w := g.layerWeights(i)
	name := fmt.Sprintf("layers.%d.%d.", i/g.config.InnerGroupNum, i%g.config.InnerGroupNum)

	query := g.linear(name+"query", input, w.Query)
	key := g.linear(name+"key", input, w.Key)
	value := g.linear(name+"value", input, w.Value)
	context := g.attention(name, query, key, value)
	dense := g.linear(name+"attention_dense", context, w.Dense)
	sum := g.Node("Add", name+"attention_residual", []string{input, dense})
	attended := g.layerNorm(name+"attention_layer_norm", sum, w.AttentionLayerNorm)

	ffn := g.feedForward(name, attended, w)
	sum = g.Node("Add", name+"ffn_residual", []string{attended, ffn})
	return g.layerNorm(name+"full_layer_layer_norm", sum, w.FullLayerLayerNorm)
}

// layerWeights returns the layer that use i applies: the (i mod inner)-th of the group of its depth.
func (g *graph) layerWeights(i int) models.LayerParameters {
	inner := g.config.InnerGroupNum
	return g.table.LayerGroups[g.config.LayerGroup(i/inner)][i%inner]
}
