// Package tasks is what an ALBERT is fine-tuned for: how examples are read, what a model sees of them, what its outputs
// say, and how good that is. It runs no model.
//
//	task.go            the interface; examples, features, predictions, scores; packing features into a batch
//	options.go         the tasks by name, and their options
//	table.go           rows of TSV, CSV and JSON lines
//	labels.go          classes, found in training examples or given
//	encoding.go        texts to sequences of a limited length
//	classification.go  one or two sentences and a label, or several
//	metrics.go         accuracy, F1, Matthews correlation
package tasks
