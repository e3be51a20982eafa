package models

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestLabelsAreRead(t *testing.T) {
	for text, want := range map[string][]string{
		`{}`:                               {"LABEL_0", "LABEL_1"},
		`{"num_labels": 3}`:                {"LABEL_0", "LABEL_1", "LABEL_2"},
		`{"id2label": {"0": "x"}}`:         {"x"},
		`{"id2label": {"0": ""}}`:          {""},
		`{"id2label": null}`:               {"LABEL_0", "LABEL_1"},
		`{"id2label": {"1":"b","0":"a"}}`:  {"a", "b"},
		`{"id2label": {"0":"O","1":"O"}}`:  {"O", "O"},
		`{"num_labels":1,"label2id":null}`: {"LABEL_0"},
		`{"id2label":{"0":"a","1":"b"},"label2id":{"a":0,"b":1},"num_labels":2}`: {"a", "b"},
	} {
		c, err := ParseConfig([]byte(text))
		if err != nil || !slices.Equal(c.Labels.Names(), want) || c.Labels.Len() != len(want) {
			t.Errorf("%s: got %v, error %v; want %v", text, c.Labels.Names(), err, want)
		}
	}
	if NewLabels("LABEL_0", "LABEL_1") != (Labels{}) || NewLabels("a") == NewLabels("b") {
		t.Error("the default two are not the zero value, or other labels are equal")
	}
}

func TestLabelsAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		`{"num_labels": 0}`:                                                  "num_labels is 0, want 1 to",
		`{"num_labels": 99999999}`:                                           "num_labels is 99999999, want 1 to",
		`{"num_labels": "two"}`:                                              `num_labels is "two", want a whole number`,
		`{"id2label": ["a"]}`:                                                "want an object of names by number",
		`{"id2label": {"0": "a", "2": "b"}}`:                                 "id2label has 2 names and none for 1",
		`{"id2label": {"0": "a"}, "num_labels": 2}`:                          "num_labels is 2 and id2label has 1 names",
		`{"label2id": {"a": 0}}`:                                             "label2id is there without id2label",
		`{"id2label": {"0": "a"}, "label2id": {"b": 0}}`:                     `label2id has "b" as 0, which id2label has not`,
		`{"id2label": {"0": "a"}, "label2id": {"a": 7}}`:                     `label2id has "a" as 7`,
		`{"problem_type": "ranking"}`:                                        `problem_type is "ranking", want`,
		`{"problem_type": 3}`:                                                "problem_type is 3, want a string",
		`{"architectures": ["AlbertForQuestionAnswering"], "num_labels": 3}`: "an AlbertForQuestionAnswering has 2",
	} {
		if _, err := ParseConfig([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v, want one that says %q", text, err, want)
		}
	}
}

// Labels and the problem type survive writing, also the default ones of a classifier.
func TestLabelsRoundTrip(t *testing.T) {
	for _, labels := range []Labels{{}, NewLabels("only"), NewLabels("a b", "c\"d", "é")} {
		c := tinyConfig()
		c.Architecture, c.Labels, c.ProblemType = ForSequenceClassification, labels, MultiLabel
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ParseConfig(text); err != nil || got != c {
			t.Errorf("got %+v, error %v; want %+v", got, err, c)
		}
		if !strings.Contains(string(text), `"id2label":{"0":`) || !strings.Contains(string(text), `"label2id":{`) {
			t.Errorf("no labels in %s", text)
		}
	}
}

func TestProblem(t *testing.T) {
	for want, c := range map[ProblemType]Config{
		SingleLabel: {}, Regression: {Labels: NewLabels("score")}, MultiLabel: {ProblemType: MultiLabel},
	} {
		if got := c.Problem(); got != want {
			t.Errorf("labels %v, problem type %q: got %s, want %s", c.Labels.Names(), c.ProblemType, got, want)
		}
	}
}
