// Package tasks is what an ALBERT is fine-tuned for: how examples are read, what a model sees of them, what its outputs
// say, and how good that is. It runs no model.
//
//	task.go            the interface; examples, features, predictions, scores; packing features into a batch
//	options.go         the tasks by name, and their options
//	table.go           rows of TSV, CSV and JSON lines
//	labels.go          classes, found in training examples or given
//	encoding.go        texts to sequences of a limited length
//	texts.go           one or two sentences: which columns, how many
//	classification.go  one or two sentences and a label, or several
//	regression.go      a number of one or two sentences
//	tokens.go          a tag of each word: entities.go what tags say, and its metric
//	question_answering.go  where in a passage an answer is: squad.go the file, answers.go decoding, squad_metric.go
//	multiple_choice.go which of several choices
//	similarity.go      embeddings of sentences: retrieval.go how well they find one another
//	decisions.go       what outputs choose
//	metrics.go         accuracy, F1, correlations: scores.go scores in JSON
//	layouts.go         data sets whose files are known by name: GLUE, IMDB, SQuAD, RACE
//	holdout.go         a share of examples to test on
//	defaults.go        hyper-parameters
package tasks
