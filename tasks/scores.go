package tasks

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// The names of the scores of a kind of examples, its own metric first.
var (
	ofTwoLabels     = []string{"accuracy", "f1", "matthews_correlation"}
	ofMoreLabels    = []string{"accuracy", "f1_macro", "f1_micro", "matthews_correlation"}
	ofSeveralLabels = []string{"f1_micro", "f1_macro", "accuracy"}
	ofValues        = []string{"pearson", "spearmanr"}
	ofTags          = []string{"f1", "precision", "recall", "accuracy"}
	ofAnswers       = []string{"f1", "exact_match"}
	ofNoAnswers     = []string{"f1", "exact", "HasAns_f1", "HasAns_exact", "NoAns_f1", "NoAns_exact", "best_f1", "best_f1_thresh",
		"best_exact", "best_exact_thresh"} // those of HasAns and NoAns where there are such questions
	ofChoices   = []string{"accuracy"}
	ofRetrieval = []string{"retrieval_accuracy", "mean_reciprocal_rank"}
)

// possibleScores are the names of all scores that a general task may have: which they are depends on its examples.
var possibleScores = map[string][]string{
	"classification":     union(ofTwoLabels, ofMoreLabels, ofSeveralLabels),
	"regression":         ofValues,
	"tokens":             ofTags,
	"question-answering": union(ofAnswers, ofNoAnswers),
	"multiple-choice":    ofChoices,
	"similarity":         union(ofValues, ofRetrieval),
}

func union(lists ...[]string) []string {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(lists...))))
}

// checkMetric refuses a metric that is none of those scores; an empty one is the task's own.
func checkMetric(metric string, names []string) error {
	if metric == "" || slices.Contains(names, metric) {
		return nil
	}
	return fmt.Errorf("tasks: metric is %q, want one of %s", metric, strings.Join(names, ", "))
}

// namedScores returns scores of those names.
func namedScores(names []string, values ...float64) Scores {
	scores := make(Scores, len(names))
	for i, name := range names {
		scores[i] = Score{name, values[i]}
	}
	return scores
}

// first returns the scores with the one of that name in front.
func (s Scores) first(name string) (Scores, error) {
	var names []string
	for i, score := range s {
		if score.Name == name {
			copy(s[1:i+1], s[:i])
			s[0] = score
			return s, nil
		}
		names = append(names, score.Name)
	}
	return nil, checkMetric(name, names)
}

// MarshalJSON writes the scores as an object of numbers by name, in their order: the task's own metric is the first.
func (s Scores) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, score := range s {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(score.Name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(score.Value)
		if err != nil {
			return nil, fmt.Errorf("tasks: score %s: %w", score.Name, err)
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Scores) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return fmt.Errorf("tasks: scores are %s, want an object of numbers", text)
	}
	scores := Scores{}
	for d.More() {
		name, err := d.Token() // a key, which the decoder has checked
		if err != nil {
			return err
		}
		score := Score{Name: name.(string)}
		if err := d.Decode(&score.Value); err != nil {
			return fmt.Errorf("tasks: score %s: %w", score.Name, err)
		}
		scores = append(scores, score)
	}
	*s = scores
	return nil
}
