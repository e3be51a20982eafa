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
	whole     *onnx.Builder     // the model's graph, where initializers go: Builder may be a part of it
	layers    Layers
	precision Precision
	fuse      Fuse

	halfConstants bool // whether constants are float16 now

	quantized map[*models.Parameter]bool // whose numbers are whole: all others are float32 or float16
	rounded   map[string]rounded         // values, by name, that products of whole numbers take

	embeddingOutput bool // whether the sentence embedding is an output

	tensors bool      // whether intermediate values are outputs
	offers  []offered // those of the layer that is being written down

	inputShape    string // of the inputs
	batchSequence string // (2): how many sequences there are, those of multiple choice one by one, and their length
	attended      string // (batch, sequence): 1 where a token is attended to, else 0
	keys          string // the mask as fused attention takes it
	attentionBias string // (batch, 1, 1, sequence): 0 where a key is attended to, else the lowest number
}

// forward is the whole model: the encoder, and every head that the model has.
func (g *graph) forward() {
	ids, mask, types := g.inputs()
	hidden := g.embeddings(ids, types)
	g.mask(mask)
	hidden = g.encoder(hidden)
	if g.table.Predictions != nil {
		g.predictions(hidden)
	}
	top := hidden
	if g.table.Pooler != nil {
		states := g.states(hidden)
		top = g.pooler(states)
		if g.config.Architecture == models.BaseModel {
			g.features(states)
		}
	}
	if g.table.SOPClassifier != nil {
		g.sentenceOrder(top)
	}
	if g.table.Classifier != nil {
		g.classify(top)
	}
}

// inputs declares the three inputs (batch, sequence). Those of multiple choice are (batch, choices, sequence), and
// become (batch·choices, sequence).
func (g *graph) inputs() (ids, mask, types string) {
	axes := []any{"batch", "sequence"}
	if g.config.Architecture == models.ForMultipleChoice {
		axes = []any{"batch", "choices", "sequence"}
	}
	var names []string
	for _, name := range g.config.Architecture.Inputs() {
		names = append(names, g.Input(name, onnx.TensorProto_INT64, axes...))
	}
	if g.config.Architecture != models.ForMultipleChoice {
		g.batchSequence = g.Node("Shape", "batch_sequence", []string{names[0]})
		return names[0], names[1], names[2]
	}
	g.inputShape = g.Node("Shape", "input_shape", []string{names[0]})
	length := g.Node("Shape", "sequence_length", []string{names[0]}, onnx.Int("start", 2))
	rows := g.Node("Concat", "rows", []string{g.int64s(-1), length}, onnx.Int("axis", 0))
	for i, name := range names {
		names[i] = g.Node("Reshape", name+".rows", []string{name, rows})
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
	hidden := g.product("embedding_hidden_mapping_in", rows, g.table.EmbeddingHiddenMapping)
	g.offerEmbeddings(rows, hidden)
	return hidden
}

// encoder applies the layers one after the other. Each depth uses the weights of its group, which other depths use
// too: in the released models there is one layer, used L times.
func (g *graph) encoder(hidden string) string {
	switch g.layers {
	case Loop:
		return g.loops(hidden)
	case Function:
		return g.calls(hidden)
	}
	for i := range g.config.NumHiddenLayers * g.config.InnerGroupNum {
		hidden = g.layer(g.layerName(i), hidden, g.layerWeights(i))
		g.offerLayer(i)
	}
	return hidden
}

// layerName is where use i of a layer is: the depth, and which of the layers there.
func (g *graph) layerName(i int) string {
	return fmt.Sprintf("layers.%d.%d.", i/g.config.InnerGroupNum, i%g.config.InnerGroupNum)
}

// layer is self-attention and feed-forward, each with a residual and a norm after it.
func (g *graph) layer(name, input string, w models.LayerParameters) string {
	x := g.half(name+"input", input)
	query := g.linear(name+"query", x, w.Query)
	key := g.linear(name+"key", x, w.Key)
	value := g.linear(name+"value", x, w.Value)
	g.offer(name, models.Query, query)
	g.offer(name, models.Key, key)
	g.offer(name, models.Value, value)
	context := g.attention(name, query, key, value)
	g.offer(name, models.Context, context)
	dense := g.widened(name+"attention_dense", context, w.Dense)
	attended := g.residualNorm(name+"attention_residual", name+"attention_layer_norm", input, dense, w.AttentionLayerNorm)

	ffn := g.feedForward(name, attended, w)
	g.offerFull(models.FFNOutput, ffn)
	output := g.residualNorm(name+"ffn_residual", name+"full_layer_layer_norm", attended, ffn, w.FullLayerLayerNorm)
	g.offerFull(models.LayerOutput, output)
	return output
}

// layerWeights returns the layer that use i applies: the (i mod inner)-th of the group of its depth.
func (g *graph) layerWeights(i int) models.LayerParameters {
	inner := g.config.InnerGroupNum
	return g.table.LayerGroups[g.config.LayerGroup(i/inner)][i%inner]
}
