package models

import (
	"encoding/json"
	"strings"
	"testing"
)

// What a model was fine-tuned with is in config.json and comes back; what others keep there does not disturb it.
func TestTaskParams(t *testing.T) {
	want, err := Preset("albert-tiny")
	if err != nil {
		t.Fatal(err)
	}
	want.TaskParams = TaskParams{
		Task: "squad2", Metric: "f1", Texts: 2, MaxLength: 384, LabelSeparator: "|", DocStride: 64, MaxQueryLength: 32,
		MaxAnswerLength: 20, NBest: 5, NoAnswer: true, NullThreshold: -1.5, Scale: 5,
	}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ParseConfig(text); err != nil || got != want {
		t.Errorf("got %+v, error %v, want %+v", got, err, want)
	}
	for _, section := range []string{`null`, `{}`, `{"summarization": {"max_length": 3, "prefix": "x"}}`} {
		c, err := ParseConfig([]byte(`{"task_specific_params": ` + section + `}`))
		if err != nil || c.TaskParams != (TaskParams{}) {
			t.Errorf("%s: %+v, error %v", section, c.TaskParams, err)
		}
	}
	for section, want := range map[string]string{
		`3`:                               "task_specific_params is 3, want an object",
		`{"goalbert": 3}`:                 "task_specific_params, goalbert: not what a model was fine-tuned with",
		`{"goalbert": {"max_length": 8}}`: "the task is missing; want its name",
		`{"goalbert": {"task": "tokens", "max_length": -8}}`: "max_length is -8, want 0 or more",
		`{"goalbert": {"task": "glue/qnli", "texts": 3}}`:    "texts is 3, want 1 or 2",
		`{"goalbert": {"task": "tokens", "doc_strid": 8}}`:   `unknown field "doc_strid"; remove it`,
		`{"goalbert": {"task": "similarity", "scale": -5}}`:  "scale is -5, want 0 or more",
	} {
		if _, err := ParseConfig([]byte(`{"task_specific_params": ` + section + `}`)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", section, err, want)
		}
	}
}
