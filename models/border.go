package models

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
