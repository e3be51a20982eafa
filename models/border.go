package models

import "fmt"

// The names of a model's tensors at the border with other software, as transformers has them: inputs are (batch,
// sequence) of int64, for AlbertForMultipleChoice (batch, choices, sequence), attention_mask being 1 where a token is to
// be attended.
const (
	InputIDs      = "input_ids"
	AttentionMask = "attention_mask"
	TokenTypeIDs  = "token_type_ids"

	// (batch, sequence, V) of AlbertForMaskedLM, (batch, sequence, labels) of AlbertForTokenClassification, (batch,
	// labels) of AlbertForSequenceClassification, (batch, choices) of AlbertForMultipleChoice
	Logits           = "logits"
	PredictionLogits = "prediction_logits" // (batch, sequence, V) of AlbertForPreTraining
	SOPLogits        = "sop_logits"        // (batch, 2) of AlbertForPreTraining
	LastHiddenState  = "last_hidden_state" // (batch, sequence, H) of AlbertModel
	PoolerOutput     = "pooler_output"     // (batch, H) of AlbertModel
	StartLogits      = "start_logits"      // (batch, sequence) of AlbertForQuestionAnswering
	EndLogits        = "end_logits"        // (batch, sequence) of AlbertForQuestionAnswering

	// SentenceEmbedding is (batch, H): the mean of the hidden states that are attended to, normalized to length 1. An
	// export of AlbertModel has it on request; the name is that of the library sentence-transformers.
	SentenceEmbedding = "sentence_embedding"
)

// Inputs returns the names of a model's inputs, in the order of an exported file.
func (a Architecture) Inputs() []string { return []string{InputIDs, AttentionMask, TokenTypeIDs} }

// Outputs returns the names of the model's outputs, in the order of an exported file. Where there is a masked-LM head
// the first is its.
func (a Architecture) Outputs() []string { return a.head().outputs }

// Tensors returns the names of the intermediate values that an exported file and the native model offer on request, each
// (batch, sequence, columns) of float32: the embeddings after their norm and after the linear to the hidden size, then of
// each use of a layer what LayerTensors lists.
func (c Config) Tensors() []string {
	names := []string{EmbeddingsOutput, EmbeddingsHidden}
	for i := range c.NumHiddenLayers * c.InnerGroupNum {
		for _, part := range LayerTensors() {
			names = append(names, LayerTensor(i, part))
		}
	}
	return names
}

// The names of intermediate values. They differ from those of the graph's nodes: a node has rows (batch·sequence) and the
// type that is computed in.
const (
	EmbeddingsOutput = "embeddings.output" // (batch, sequence, E)
	EmbeddingsHidden = "embeddings.hidden" // (batch, sequence, H)

	Query       = "query"
	Key         = "key"
	Value       = "value"
	Context     = "context"    // the heads side by side, before the linear after them
	FFNOutput   = "ffn_output" // before the residual
	LayerOutput = "output"     // after full_layer_layer_norm
)

// LayerTensors lists the parts of a layer that are offered, each (batch, sequence, H).
func LayerTensors() []string { return []string{Query, Key, Value, Context, FFNOutput, LayerOutput} }

// LayerTensor is the name of a part of use i of a layer: layers.3.query. Where each depth applies one layer, i is the
// depth.
func LayerTensor(i int, part string) string { return fmt.Sprintf("layers.%d.%s", i, part) }
