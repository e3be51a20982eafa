// Package train trains an ALBERT over an [Engine] that does the arithmetic: it pre-trains one on tokenized documents, and
// fine-tunes one on the features of a task.
//
//	documents ─split─▶ training ─cut, shuffle, mask─▶ steps ─Engine─▶ weights ─▶ checkpoints, model
//	              └──▶ held out ─cut, mask once─────▶ scores ────────────────▶ metrics.jsonl, curves.png
//
//	features ─shuffle, group by length─▶ steps ─Engine─▶ weights ─▶ checkpoints, the best of which is the model
//	                                                        └─FinetuneOptions.Evaluate─▶ scores ─▶ metrics.jsonl, curves.png
//
// In the order of the data:
//
//	documents.go vocabulary.go data.go    what a model is trained on
//	heldout.go unigram.go                 what it is evaluated on, and the reference beside it
//	sentence_pairs.go masking.go          the two objectives: how text becomes training instances
//	random.go source.go batch.go loader.go   instances in the order of an epoch, steps made ahead
//	features.go                           the same of fine-tuning: features in batches of about equal length
//	options.go finetune_options.go schedule.go budget.go   hyper-parameters, the learning rate, how many steps
//	engine.go loop.go                     the training itself, whatever is trained
//	pretrain.go evaluation.go result.go   what pre-training does in its own way; finetune.go what fine-tuning does
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
