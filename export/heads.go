package export

import (
	"goalbert/models"
	"goalbert/onnx"
)

// pooler is, for each sequence, tanh of a linear of the hidden state at its first position (batch, H).
func (g *graph) pooler(states string) string {
	first := g.Node("Gather", "pooler.first", []string{states, g.int64(0)}, onnx.Int("axis", 1))
	linear := g.product("pooler", first, *g.table.Pooler)
	return g.Node("Tanh", models.PoolerOutput, []string{linear})
}

// states is the hidden rows as (batch, sequence, H).
func (g *graph) states(hidden string) string {
	return g.Node("Reshape", models.LastHiddenState, []string{hidden, g.shape(g.config.HiddenSize)})
}

// features are the outputs of a model without a head.
func (g *graph) features(states string) {
	g.Output(models.LastHiddenState, onnx.TensorProto_FLOAT, "batch", "sequence", g.config.HiddenSize)
	g.Output(models.PoolerOutput, onnx.TensorProto_FLOAT, "batch", g.config.HiddenSize)
	if g.embeddingOutput {
		g.sentenceEmbedding(states)
	}
}

// sentenceEmbedding is the mean of the hidden states that are attended to, normalized to length 1 (batch, H). The mean's
// division cancels: it is the sum that is normalized. The small number keeps a sum of zero zero.
func (g *graph) sentenceEmbedding(states string) {
	name := models.SentenceEmbedding
	attended := g.Node("Unsqueeze", name+".attended", []string{g.attended, g.int64s(1)})
	sum := g.Node("MatMul", name+".sum", []string{attended, states})
	sum = g.Node("Squeeze", name+".row", []string{sum, g.int64s(1)})
	squares := g.Node("Mul", name+".squares", []string{sum, sum})
	length := g.Node("ReduceSum", name+".squared_length", []string{squares, g.int64s(-1)})
	length = g.Node("Sqrt", name+".length", []string{length})
	length = g.Node("Add", name+".positive_length", []string{length, g.float(1e-12)})
	g.Node("Div", name, []string{sum, length})
	g.Output(name, onnx.TensorProto_FLOAT, "batch", g.config.HiddenSize)
}

// predictions is the masked-LM head, at all positions: a linear to the embedding size, the activation, a norm, and the
// tied decoder, which is the word embeddings with a bias of its own.
func (g *graph) predictions(hidden string) {
	w := g.table.Predictions
	x := g.product("predictions_dense", hidden, w.Dense)
	x = g.activate("predictions_activation", x)
	x = g.layerNorm("predictions_layer_norm", x, w.LayerNorm)
	x = g.product("predictions_decoder", x, g.decoder())
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
	g.product(models.SOPLogits, pooled, *g.table.SOPClassifier)
	g.Output(models.SOPLogits, onnx.TensorProto_FLOAT, "batch", 2)
}

// classify is the classifier of a task: on the pooled output where the model has one, else on each hidden state.
func (g *graph) classify(hidden string) {
	l, labels := *g.table.Classifier, g.table.Classifier.Bias.Size()
	switch g.config.Architecture {
	case models.ForSequenceClassification:
		g.product(models.Logits, hidden, l)
		g.Output(models.Logits, onnx.TensorProto_FLOAT, "batch", labels)
	case models.ForMultipleChoice:
		scores := g.product("choices", hidden, l)
		batchChoices := g.Node("Slice", "batch_choices", []string{g.inputShape, g.int64s(0), g.int64s(2)})
		g.Node("Reshape", models.Logits, []string{scores, batchChoices})
		g.Output(models.Logits, onnx.TensorProto_FLOAT, "batch", "choices")
	case models.ForTokenClassification:
		scores := g.product("classifier", hidden, l)
		g.Node("Reshape", models.Logits, []string{scores, g.shape(labels)})
		g.Output(models.Logits, onnx.TensorProto_FLOAT, "batch", "sequence", labels)
	case models.ForQuestionAnswering:
		scores := g.product("qa_outputs", hidden, l)
		for i, name := range g.config.Architecture.Outputs() {
			column := g.Node("Gather", name+".column", []string{scores, g.int64(i)}, onnx.Int("axis", 1))
			g.Node("Reshape", name, []string{column, g.batchSequence})
			g.Output(name, onnx.TensorProto_FLOAT, "batch", "sequence")
		}
	}
}
