package export

import (
	"goalbert/models"
	"goalbert/onnx"
)

// pooler is, for each sequence, tanh of a linear of the hidden state at its first position (batch, H).
func (g *graph) pooler(hidden string) string {
	states := g.Node("Reshape", "last_hidden_state", []string{hidden, g.shape(g.config.HiddenSize)})
	first := g.Node("Gather", "pooler.first", []string{states, g.int64(0)}, onnx.Int("axis", 1))
	linear := g.linear("pooler", first, *g.table.Pooler)
	return g.Node("Tanh", "pooler_output", []string{linear})
}

// predictions is the masked-LM head, at all positions: a linear to the embedding size, the activation, a norm, and the
// tied decoder, which is the word embeddings with a bias of its own.
func (g *graph) predictions(hidden string) {
	w := g.table.Predictions
	x := g.linear("predictions_dense", hidden, w.Dense)
	x = g.activate("predictions_activation", x)
	x = g.layerNorm("predictions_layer_norm", x, w.LayerNorm)
	x = g.linear("predictions_decoder", x, g.decoder())
	name := g.config.Architecture.Outputs()[0]
	g.Node("Reshape", name, []string{x, g.shape(g.config.VocabSize)})
	g.Output(name, onnx.TensorProto_FLOAT, "batch", "sequence", g.config.VocabSize)
}

// decoder is the word embeddings as a linear to the vocabulary.
func (g *graph) decoder() models.Linear {
	return models.Linear{Weight: g.table.Embeddings.Word, Bias: g.table.Predictions.Bias}
}

// sentenceOrder is the classifier of the sentence objective on the pooled output.
func (g *graph) sentenceOrder(pooled string) {
	g.linear(models.SOPLogits, pooled, *g.table.SOPClassifier)
	g.Output(models.SOPLogits, onnx.TensorProto_FLOAT, "batch", 2)
}
