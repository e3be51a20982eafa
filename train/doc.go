// Package train pre-trains an ALBERT: from tokenized documents to weights, over an [Engine] that does the arithmetic.
//
//	documents ─split─▶ training ─cut, shuffle, mask─▶ steps ─Engine─▶ weights ─▶ checkpoints, model
//	              └──▶ held out ─cut, mask once─────▶ scores ────────────────▶ metrics.jsonl, curves.png
//
// In the order of the data:
//
//	documents.go vocabulary.go data.go    what a model is trained on
//	heldout.go unigram.go                 what it is evaluated on, and the reference beside it
//	sentence_pairs.go masking.go          the two objectives: how text becomes training instances
//	random.go source.go batch.go loader.go   instances in the order of an epoch, steps made ahead
//	options.go schedule.go budget.go      hyper-parameters, the learning rate, how many steps
//	engine.go loop.go evaluation.go result.go   the training itself
//	metrics.go curves.go                  what can be seen of it
//	checkpoint.go resume.go               what survives a crash
//
// Everything random is a function of the seed and of what it is for (an epoch, a document ...), never of a stream's
// state. So a run that was interrupted anywhere, even killed, ends with the same weights as one that was not: a
// checkpoint needs no more than a [Position].
//
// The objectives are those of ALBERT (Lan et al., arXiv:1909.11942) and, for next sentence prediction, BERT (Devlin
// et al., arXiv:1810.04805), made as create_pretraining_data.py of google-research/albert makes them.
package train
