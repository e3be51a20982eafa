package tasks

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"goalbert/models"
)

// A metric that no score has is found before examples are read where no example could have it, and before a training where
// these examples have not.
func TestMetricThatIsNone(t *testing.T) {
	labels := func(n int) []*Example {
		var examples []*Example
		for _, label := range []string{"O", "B-X", "B-Y"}[:n] {
			examples = append(examples, &Example{Labels: []string{label}, Texts: []string{"a", "b"}})
		}
		return examples
	}
	valued := []*Example{{Labelled: true, Value: 1, Texts: []string{"a", "b"}}, {Labelled: true, Texts: []string{"a", "b"}}}
	for _, c := range []struct {
		task     string
		options  Options
		examples []*Example // nil where the name alone is wrong
		want     string
	}{
		{"classification", Options{Metric: "f2"}, nil, `metric is "f2", want one of accuracy, f1, f1_macro, f1_micro, matthews_correlation`},
		{"classification", Options{Metric: "f1"}, labels(3), `"f1", want one of accuracy, f1_macro, f1_micro, matthews_correlation`},
		{"classification", Options{Metric: "f1_macro"}, labels(2), `"f1_macro", want one of accuracy, f1, matthews_correlation`},
		{"classification", Options{Metric: "f1", MultiLabel: true}, labels(2), `"f1", want one of f1_micro, f1_macro, accuracy`},
		{"glue/sst2", Options{Metric: "pearson"}, nil, `"pearson", want one of accuracy`},
		{"imdb", Options{Metric: "f1_micro"}, labels(2), `"f1_micro", want one of accuracy, f1,`},
		{"regression", Options{Metric: "bleu"}, nil, `"bleu", want one of pearson, spearmanr`},
		{"tokens", Options{Metric: "f1_macro"}, nil, `"f1_macro", want one of f1, precision`},
		{"multiple-choice", Options{Metric: "f1"}, nil, `"f1", want one of accuracy`},
		{"squad", Options{Metric: "accuracy"}, nil, `"accuracy", want one of HasAns_exact`},
		{"squad", Options{Metric: "exact"}, labels(2), `"exact", want one of f1, exact_match`},
		{"squad2", Options{Metric: "exact_match"}, labels(2), `"exact_match", want one of f1, exact,`},
		{"similarity", Options{Metric: "accuracy"}, nil, `"accuracy", want one of mean_reciprocal_rank`},
		{"similarity", Options{Metric: "pearson"}, labels(2), `"pearson", want one of retrieval_accuracy`},
		{"similarity", Options{Metric: "retrieval_accuracy"}, valued, `"retrieval_accuracy", want one of pearson`},
	} {
		task, err := New(c.task, c.options)
		if (err == nil) != (c.examples != nil) {
			t.Errorf("%s, metric %s: opened with %v", c.task, c.options.Metric, err)
			continue
		}
		if err == nil {
			err = task.Learn(c.examples)
		}
		if err == nil {
			_, err = task.Configure(models.Config{})
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, metric %s: %v, want %s", c.task, c.options.Metric, err, c.want)
		}
	}
	config := models.Config{Architecture: models.ForSequenceClassification, Labels: models.NewLabels("a", "b", "c")}
	if err := newTask(t, "classification", Options{Metric: "f1"}).Adopt(config); err == nil || !strings.Contains(err.Error(), `metric is "f1"`) {
		t.Errorf("F1 of one of three labels: %v", err)
	}
	config.TaskParams.Metric = "f1" // kept by the model itself, which must go on answering
	if err := newTask(t, "classification", Options{Metric: "f1"}).Adopt(config); err != nil {
		t.Error(err)
	}
}

// Each name of a score of answers that may be none is one that the official metric has.
func TestScoreNamesOfNoAnswers(t *testing.T) {
	none, odds := "", 0.0
	scores := squad2Scores([]*Example{{Answers: []Answer{{Text: "a"}}}, {Impossible: true}},
		[]*Prediction{{Answer: &none, NullOdds: &odds}, {Answer: &none, NullOdds: &odds}})
	var names []string
	for _, s := range scores {
		names = append(names, s.Name)
	}
	if !slices.Equal(names, ofNoAnswers) {
		t.Errorf("scores %v, want %v", names, ofNoAnswers)
	}
}

// Scores keep their order and every bit through JSON.
func TestScoresAsJSON(t *testing.T) {
	want := Scores{{"matthews_correlation", -0.1}, {"accuracy", 1.0 / 3}, {"f1", 0}}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != `{"matthews_correlation":-0.1,"accuracy":0.3333333333333333,"f1":0}` {
		t.Errorf("got %s", text)
	}
	var got Scores
	if err := json.Unmarshal(text, &got); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, error %v; want %v", got, err, want)
	}
	for _, text := range []string{`[1]`, `{"a": "b"}`, `3`} {
		if err := json.Unmarshal([]byte(text), &got); err == nil {
			t.Errorf("%s was read", text)
		}
	}
	if _, err := json.Marshal(Scores{{"f1", math.NaN()}}); err == nil {
		t.Error("NaN was written")
	}
}
