package models

// The names of a model's tensors at the border with other software, as transformers has them: inputs are (batch,
// sequence) of int64, attention_mask being 1 where a token is to be attended.
const (
	InputIDs      = "input_ids"
	AttentionMask = "attention_mask"
	TokenTypeIDs  = "token_type_ids"

	Logits           = "logits"            // (batch, sequence, V) of AlbertForMaskedLM
	PredictionLogits = "prediction_logits" // (batch, sequence, V) of AlbertForPreTraining
	SOPLogits        = "sop_logits"        // (batch, 2) of AlbertForPreTraining
)

// Inputs returns the names of a model's inputs, in the order of an exported file.
func (a Architecture) Inputs() []string { return []string{InputIDs, AttentionMask, TokenTypeIDs} }

// Outputs returns the names of the model's outputs, in the order of an exported file. The first is the masked-LM
// head's.
func (a Architecture) Outputs() []string {
	if a == ForMaskedLM {
		return []string{Logits}
	}
	return []string{PredictionLogits, SOPLogits}
}
