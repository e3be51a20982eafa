package models

import (
	"fmt"
	"slices"
	"strings"
)

// Architecture names the heads on top of the encoder, as transformers does.
type Architecture string

const (
	ForPreTraining            Architecture = "AlbertForPreTraining"            // masked LM and a sentence objective
	ForMaskedLM               Architecture = "AlbertForMaskedLM"               // masked LM alone: no pooler, no sentence head
	BaseModel                 Architecture = "AlbertModel"                     // hidden states and the pooled output
	ForSequenceClassification Architecture = "AlbertForSequenceClassification" // a linear on the pooled output
	ForTokenClassification    Architecture = "AlbertForTokenClassification"    // a linear on each hidden state
	ForQuestionAnswering      Architecture = "AlbertForQuestionAnswering"      // where an answer starts and ends
	ForMultipleChoice         Architecture = "AlbertForMultipleChoice"         // a score for each of several sequences
)

// Task is what a model is for, by the name that Hugging Face's pipelines and exporters have for it.
type Task string

// ProblemType is what the logits of an AlbertForSequenceClassification mean. Without one it follows from the labels:
// one is a regression, several exclude each other.
type ProblemType string

const (
	SingleLabel ProblemType = "single_label_classification"
	MultiLabel  ProblemType = "multi_label_classification"
	Regression  ProblemType = "regression"
)

// head says what an architecture has on top of the encoder.
type head struct {
	architecture  Architecture
	task          Task
	predictions   bool
	pooler        bool
	sentenceOrder bool
	classifier    string // its linear, by name; empty is none
	outputs       []string
}

var heads = []head{
	{architecture: ForPreTraining, task: "pre-training", predictions: true, pooler: true, sentenceOrder: true,
		outputs: []string{PredictionLogits, SOPLogits}},
	{architecture: ForMaskedLM, task: "fill-mask", predictions: true, outputs: []string{Logits}},
	{architecture: BaseModel, task: "feature-extraction", pooler: true, outputs: []string{LastHiddenState, PoolerOutput}},
	{architecture: ForSequenceClassification, task: "text-classification", pooler: true, classifier: "classifier",
		outputs: []string{Logits}},
	{architecture: ForTokenClassification, task: "token-classification", classifier: "classifier",
		outputs: []string{Logits}},
	{architecture: ForQuestionAnswering, task: "question-answering", classifier: "qa_outputs",
		outputs: []string{StartLogits, EndLogits}},
	{architecture: ForMultipleChoice, task: "multiple-choice", pooler: true, classifier: "classifier",
		outputs: []string{Logits}},
}

// head returns the heads of a, none of an architecture that is not known.
func (a Architecture) head() head {
	if i := slices.IndexFunc(heads, func(h head) bool { return h.architecture == a }); i >= 0 {
		return heads[i]
	}
	return head{}
}

// Task returns what a is for.
func (a Architecture) Task() Task { return a.head().task }

// HasPredictions reports whether a has the masked-LM head.
func (a Architecture) HasPredictions() bool { return a.head().predictions }

// HasLabels reports whether the outputs of a are the scores of the configuration's labels.
func (a Architecture) HasLabels() bool {
	return a == ForSequenceClassification || a == ForTokenClassification
}

// Architectures returns all that are known.
func Architectures() []Architecture {
	var all []Architecture
	for _, h := range heads {
		all = append(all, h.architecture)
	}
	return all
}

// ParseTask returns the architecture of a task.
func ParseTask(name string) (Architecture, error) {
	var names []string
	for _, h := range heads {
		if string(h.task) == name {
			return h.architecture, nil
		}
		names = append(names, string(h.task))
	}
	return "", fmt.Errorf("task is %q, want one of %s", name, strings.Join(names, ", "))
}

// classes returns the rows of the classifier of a model of configuration c.
func (c Config) classes() int {
	if c.Architecture == ForMultipleChoice {
		return 1
	}
	return c.Labels.Len()
}

// Problem returns what the logits of a sequence classification mean: the problem type, or what follows from the labels.
func (c Config) Problem() ProblemType {
	switch {
	case c.ProblemType != "":
		return c.ProblemType
	case c.Labels.Len() == 1:
		return Regression
	}
	return SingleLabel
}
