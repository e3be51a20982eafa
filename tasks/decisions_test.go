package tasks

import (
	"slices"
	"testing"

	"goalbert/models"
)

// What is decided of an output is what is predicted of it, of a logit of 0 and of equal ones too.
func TestDecideAsPredicted(t *testing.T) {
	one, classes := []string{"good film"}, models.NewLabels("a", "b", "c")
	sentences := models.Config{Architecture: models.ForSequenceClassification, Labels: classes}
	several := sentences
	several.ProblemType = models.MultiLabel
	for _, c := range []struct {
		task   string
		texts  []string
		config models.Config
		output []float32
		want   []int32
		is     func(p *Prediction) bool
	}{
		{"classification", one, sentences, []float32{-1, 2, 2}, []int32{1}, func(p *Prediction) bool { return p.Label == "b" }},
		{"classification", one, several, []float32{0, -0.5, 3}, []int32{1, 0, 1}, func(p *Prediction) bool { return slices.Equal(p.Labels, []string{"a", "c"}) }},
		{"multiple-choice", []string{"the film", "good", "bad"}, models.Config{Architecture: models.ForMultipleChoice}, []float32{1, 1}, []int32{0}, func(p *Prediction) bool { return *p.Choice == 0 }},
		{"tokens", one, models.Config{Architecture: models.ForTokenClassification, Labels: models.NewLabels("O", "B-X")}, // [CLS] good film [SEP]
			[]float32{0, 0, 1, 2, 1, 1, 0, 3}, []int32{0, 1, 0, 1}, func(p *Prediction) bool { return slices.Equal(p.Labels, []string{"B-X", "O"}) }},
		{"question-answering", []string{"who", "good film"}, models.Config{Architecture: models.ForQuestionAnswering, Labels: models.NewLabels("0", "1")}, // [CLS] who [SEP] good film [SEP]
			[]float32{0, 0, 0, 0, 0, 0, 5, 1, 5, 3, 0, 3}, []int32{3, 4}, func(p *Prediction) bool { return *p.Answer == "good film" }},
	} {
		if got := Decide(c.config, c.output); !slices.Equal(got, c.want) {
			t.Errorf("%s: decided %v, want %v", c.config.Architecture, got, c.want)
		}
		task := newTask(t, c.task, Options{})
		if err := task.Adopt(c.config); err != nil {
			t.Fatal(err)
		}
		e, err := task.Example(c.texts...)
		if err != nil {
			t.Fatal(err)
		}
		set := &Set{Examples: []*Example{e}}
		if err := set.Encode(task, wordPieces(t)); err != nil {
			t.Fatal(err)
		}
		predictions, err := set.Predict(task, [][]float32{c.output})
		if err != nil || !c.is(predictions[0]) {
			t.Errorf("%s: predicted %+v, error %v", c.config.Architecture, predictions, err)
		}
	}
	value := models.Config{Architecture: models.ForSequenceClassification, Labels: models.NewLabels("LABEL_0"), ProblemType: models.Regression}
	for _, c := range []models.Config{value, {Architecture: models.BaseModel}} {
		if got := Decide(c, []float32{1}); got != nil {
			t.Errorf("%s: of a number %v is decided", c.Architecture, got)
		}
	}
}
