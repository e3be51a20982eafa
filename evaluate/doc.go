// Package evaluate runs a task on a [goalbert/runtime.Session] and says how well it did: the held-out losses and
// accuracies of pre-training, the tokens that fill a mask, and the predictions and scores of what a model was fine-tuned
// for. It is the same code for every engine, so what it says of an exported file and of its checkpoint can be compared.
//
//	latency.go      how long runs take
//	padding.go      batches without padding to the padded tensors that engines take; what a model cannot run
//	pretraining.go  masked-LM and sentence losses and accuracies
//	fillmask.go     the most probable tokens at [MASK]
//	task.go         outputs, predictions and scores of a fine-tuned model
//	agreement.go    whether two engines predict the same
//	similarity.go   embeddings of sentences, and the nearest ones
//	quantization.go which matrices cannot be int8, and whether the model without them is as good as in fp32
//	halves.go       the half of the data that is searched, and the one that certifies
//	answers.go      what two models answer alike
//	paired.go       the drop of a score, example by example
//	interval.go     where the true drop lies
//
// Losses are cross-entropies in nats, computed in float64 from the engine's float32 logits, and are sums: whoever shows
// them divides by the counts beside them. An engine returns logits at every position; only those of masked tokens are
// read.
package evaluate
