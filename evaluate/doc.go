// Package evaluate runs a task on a runtime.Session and says how well it did: the held-out losses and accuracies of
// pre-training, and the tokens that fill a mask. It is the same code for every engine.
//
//	padding.go      batches without padding to the padded tensors that engines take
//	pretraining.go  masked-LM and sentence losses and accuracies
//	fillmask.go     the most probable tokens at [MASK]
package evaluate
