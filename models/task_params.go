package models

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
)

// TaskParams is what a model was fine-tuned for, and with what of the options that decide how it is used afterwards: how
// long its sequences are, how its outputs are decoded, which score comes first. The zero value is that nothing is known;
// an option that the task does not have is zero.
//
// It is the object taskParamsKey of "task_specific_params" in config.json, which transformers keeps and does not use.
type TaskParams struct {
	Task            string  `json:"task"` // the name that package tasks knows it by
	Metric          string  `json:"metric,omitzero"`
	Texts           int     `json:"texts,omitzero"`             // of an example of sentences: 1 or 2; 0 is either, or not known
	MaxLength       int     `json:"max_length,omitzero"`        // most tokens of a sequence
	LabelSeparator  string  `json:"label_separator,omitzero"`   // between the labels of one column
	DocStride       int     `json:"doc_stride,omitzero"`        // tokens from one window of a passage to the next
	MaxQueryLength  int     `json:"max_query_length,omitzero"`  // most tokens of a question
	MaxAnswerLength int     `json:"max_answer_length,omitzero"` // most tokens of an answer
	NBest           int     `json:"n_best,omitzero"`            // candidates of each end of an answer
	NoAnswer        bool    `json:"no_answer,omitzero"`         // a question may have none
	NullThreshold   float64 `json:"null_threshold,omitzero"`    // by which the logit of no answer exceeds the best one's
	Scale           float64 `json:"scale,omitzero"`             // what a value of similarity is divided by
}

const (
	taskSpecificParams = "task_specific_params"
	taskParamsKey      = "goalbert"
)

// ParseTaskParams reads the JSON object of a TaskParams. An unknown key is an error: it may decide what is predicted.
func ParseTaskParams(text []byte) (p TaskParams, err error) {
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return p, fmt.Errorf("not what a model was fine-tuned with: %w", err)
	}
	return p, p.validate()
}

// validate reports the first value that no task can have.
func (p TaskParams) validate() error {
	if p.Task == "" && p != (TaskParams{}) {
		return fmt.Errorf("the task is missing; want its name")
	}
	for _, n := range []struct {
		key   string
		value int
	}{
		{"max_length", p.MaxLength}, {"doc_stride", p.DocStride}, {"max_query_length", p.MaxQueryLength},
		{"max_answer_length", p.MaxAnswerLength}, {"n_best", p.NBest},
	} {
		if n.value < 0 || n.value > math.MaxInt32 {
			return fmt.Errorf("%s is %d, want 0 or more", n.key, n.value)
		}
	}
	if p.Texts < 0 || p.Texts > 2 {
		return fmt.Errorf("texts is %d, want 1 or 2", p.Texts)
	}
	if p.Scale < 0 {
		return fmt.Errorf("scale is %v, want 0 or more", p.Scale)
	}
	return nil
}

// parseTaskParams reads those of a config.json. What other programs keep there is theirs.
func parseTaskParams(value []byte) (TaskParams, error) {
	var sections map[string]json.RawMessage
	if err := json.Unmarshal(value, &sections); err != nil {
		return TaskParams{}, fmt.Errorf("%s is %s, want an object", taskSpecificParams, value)
	}
	own, there := sections[taskParamsKey]
	if !there {
		return TaskParams{}, nil
	}
	p, err := ParseTaskParams(own)
	if err != nil {
		return p, fmt.Errorf("%s, %s: %w; remove it, or fine-tune the model again", taskSpecificParams, taskParamsKey, err)
	}
	return p, nil
}
