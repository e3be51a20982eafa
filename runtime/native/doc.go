// Package native runs a checkpoint in the native model as one more [goalbert/runtime.Session], with the inputs and
// outputs of the exported file.
//
//	input_ids, attention_mask, token_type_ids (batch, sequence) of int64
//	      │ pack: attended tokens as rows (T), with their positions and the sequences' offsets
//	goalbert/native
//	      │ unpack: rows back in their places, zeros where the mask hides
//	prediction_logits (batch, sequence, V), sop_logits (batch, 2), or logits (batch, sequence, V)
//
// It is the border between padded batches and the packed rows of goalbert/native: padding is never computed, and a
// mask may hide tokens on the right, on the left and between. Three differences from an exported file follow. Hidden
// positions have zeros, not the numbers that nobody should read. A row that hides its first position has as sop_logits
// those of its first attended token, not of the hidden one. And a row that is all hidden is refused.
package native
