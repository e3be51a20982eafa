package models

import "testing"

// What a loss is divided by counts labels by their weights; those to be ignored, and ends of answers beyond their
// sequence, not at all.
func TestLabelDenominator(t *testing.T) {
	offsets := []int{0, 5, 6, 10, 16}
	for name, c := range map[string]struct {
		architecture Architecture
		batch        Batch
		want         float64
	}{
		"labels":           {ForSequenceClassification, Batch{Labels: []int32{2, IgnoreIndex, 0, 0}}, 3},
		"weighted labels":  {ForSequenceClassification, Batch{Labels: []int32{2, IgnoreIndex, 0, 0}, LabelWeights: []float32{0.5, 7, 2}}, 3},
		"targets":          {ForSequenceClassification, Batch{Targets: make([]float32, 8)}, 8},
		"answers":          {ForQuestionAnswering, Batch{Labels: []int32{1, 4, 0, 1, IgnoreIndex, IgnoreIndex, 5, 6}}, 4},
		"choices":          {ForMultipleChoice, Batch{Labels: []int32{1, IgnoreIndex}, Group: 2}, 1},
		"cosines":          {BaseModel, Batch{Targets: make([]float32, 2), Group: 2}, 2},
		"in-batch":         {BaseModel, Batch{Group: 2}, 2},
		"nothing to learn": {BaseModel, Batch{Group: 1}, 0},
	} {
		c.batch.Offsets = offsets
		if got := c.batch.LabelDenominator(c.architecture); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

// Losses are sums, so those of two batches add up, each by itself.
func TestLossesAdd(t *testing.T) {
	l := Losses{1, 2, 3, 4, 5, 6, 7, 8, 9}
	l.Add(Losses{10, 20, 30, 40, 50, 60, 70, 80, 90})
	if want := (Losses{11, 22, 33, 44, 55, 66, 77, 88, 99}); l != want {
		t.Errorf("got %+v, want %+v", l, want)
	}
}
