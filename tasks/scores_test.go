package tasks

import (
	"encoding/json"
	"math"
	"slices"
	"testing"
)

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
