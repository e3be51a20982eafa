package tasks

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"goalbert/models"
	"goalbert/tokenizer"
)

// multipleChoice is a passage, a question about it and choices, one of which is right. Passage or question may be
// absent.
type multipleChoice struct {
	name    string
	options Options
	read    func(path string, labelled bool) iter.Seq2[*Example, error] // of a layout that is known by name
}

func newMultipleChoice(o Options) Task { return &multipleChoice{name: "multiple-choice", options: o} }

func (m *multipleChoice) Name() string { return m.name }

// The keys of JSON lines, SWAG's among them.
const (
	choiceContext = iota
	choiceQuestion
	choiceChoices
	choiceLabel
)

func (m *multipleChoice) Read(path string, labelled bool) iter.Seq2[*Example, error] {
	if m.read != nil {
		return m.read(path, labelled)
	}
	columns := []column{
		{role: "passage", name: m.options.Text, usual: []string{"context", "passage", "article", "sent1"}, optional: true},
		{role: "question", name: m.options.Pair, usual: []string{"question", "sent2"}, optional: true},
		{role: "choices", usual: []string{"choices", "options", "endings"}},
	}
	if labelled {
		columns = append(columns, column{role: "right choice", name: orEmpty(m.options.Label)[0],
			usual: []string{"label", "answer"}})
	}
	return examples(rows(path, table{format: JSONL, columns: columns}), parseChoices)
}

func parseChoices(r *row) (*Example, error) {
	var about [2]string
	for i := range about {
		if r.cells[i] == nil {
			continue
		}
		var err error
		if about[i], err = r.text(i, []string{"passage", "question"}[i]); err != nil {
			return nil, err
		}
	}
	choices, err := r.texts(choiceChoices, "choices")
	if err != nil {
		return nil, err
	}
	e, err := choiceExample(r.place, about[choiceContext], about[choiceQuestion], choices)
	if err != nil || len(r.cells) <= choiceLabel {
		return e, err
	}
	label, err := r.text(choiceLabel, "right choice")
	if err != nil {
		return nil, err
	}
	e.Labelled = true
	_, isNumber := r.cells[choiceLabel].(json.Number)
	e.Right, err = rightChoice(r.place, choices, label, isNumber)
	return e, err
}

// rightChoice returns the index of the choice that a label says is right: a number from 0; or text, which is a choice,
// or else such a number, or a letter from A. Text that is a choice and the number or letter of another one is refused.
func rightChoice(place string, choices []string, label string, isNumber bool) (int, error) {
	there, counted := slices.Index(choices, label), -1
	if n, err := strconv.Atoi(label); err == nil {
		counted = n
	} else if len(label) == 1 {
		counted = int(label[0]) - 'A'
	}
	if counted < 0 || counted >= len(choices) {
		counted = -1
	}
	switch {
	case isNumber || there < 0:
		there = counted
	case counted >= 0 && choices[counted] != label:
		return 0, bad(place, "the right choice is %q, which is choice %d, and the number or letter of choice %d; give it as "+
			"a JSON number", label, there, counted)
	}
	if there < 0 {
		return 0, bad(place, "the right choice is %q, want 0 to %d, a letter from A, or one of the choices",
			shortened(label, 40), len(choices)-1)
	}
	return there, nil
}

// gap is what a choice fills in a question.
var gap = regexp.MustCompile("_+")

// choiceExample returns the example of a passage, a question and choices, which fill the question's gaps or stand after
// it.
func choiceExample(place, passage, question string, choices []string) (*Example, error) {
	if len(choices) < 2 {
		return nil, bad(place, "%d choices, want at least 2", len(choices))
	}
	e := &Example{ID: place, Place: place, Texts: []string{passage}}
	for _, choice := range choices {
		switch {
		case question == "":
		case strings.Contains(question, "_"):
			choice = gap.ReplaceAllLiteralString(question, choice)
		default:
			choice = question + " " + choice
		}
		e.Texts = append(e.Texts, choice)
	}
	return e, nil
}

// Example takes a passage, which may be empty, and the choices.
func (m *multipleChoice) Example(texts ...string) (*Example, error) {
	if len(texts) == 0 {
		return nil, fmt.Errorf("tasks: no text, task %s wants a passage or question, and the choices", m.name)
	}
	return choiceExample(typed, texts[0], "", texts[1:])
}

func (m *multipleChoice) Adopt(c models.Config) error {
	return checkArchitecture(m, c, models.ForMultipleChoice)
}

// Learn has nothing to learn: examples may have different numbers of choices.
func (m *multipleChoice) Learn([]*Example) error { return nil }

func (m *multipleChoice) Configure(c models.Config) (models.Config, error) {
	c.Architecture, c.Labels, c.ProblemType = models.ForMultipleChoice, models.Labels{}, ""
	c.TaskParams = m.kept()
	return c, nil
}

// Features makes [CLS] passage [SEP] question and choice [SEP] of each choice. The second keeps its end if it is too
// long, the choice; then the passage is shortened, as in Google's race_utils.py.
func (m *multipleChoice) Features(e *Example, t tokenizer.Tokenizer) ([]*Feature, error) {
	n := m.options.encoder()
	f := &Feature{}
	passage, special := t.Encode(e.Texts[0]), 3
	if e.Texts[0] == "" {
		special = 2
	}
	most := min(m.maxQuery(), n.maxLength-special)
	for _, text := range e.Texts[1:] {
		a, b, cut := passage, append([]int32{}, t.Encode(text)...), false
		if len(b) > most {
			if m.options.NoTruncate {
				return nil, fmt.Errorf("tasks: %s: question and choice have %d tokens, want at most %d; allow truncation, "+
					"or longer ones", e.Place, len(b), most)
			}
			b, cut = b[len(b)-most:], true
		}
		if room := n.maxLength - special - len(b); len(a) > room && !n.noTruncate {
			a, cut = a[:room], true
		}
		if special == 2 {
			a, b = b, nil
		}
		s, truncated, err := n.join(t, e.Place, a, b, special)
		if err != nil {
			return nil, err
		}
		f.Sequences = append(f.Sequences, s)
		f.Truncated = f.Truncated || truncated || cut
	}
	if e.Labelled {
		f.Labels = []int32{int32(e.Right)}
	}
	return []*Feature{f}, nil
}

func (m *multipleChoice) Predict(e *Example, features []*Feature, outputs [][]float32) (*Prediction, error) {
	if len(outputs[0]) != len(features[0].Sequences) {
		return nil, fmt.Errorf("tasks: %s: %d logits for %d choices", e.Place, len(outputs[0]), len(features[0].Sequences))
	}
	choice := ArgMax(outputs[0])
	p := &Prediction{Choice: &choice, Probabilities: map[string]float64{}}
	for i, probability := range softmax(outputs[0]) {
		p.Probabilities[strconv.Itoa(i)] = probability
	}
	return p, nil
}

// Score gives the accuracy.
func (m *multipleChoice) Score(_ context.Context, examples []*Example, predictions []*Prediction) (Scores, error) {
	right := 0
	for i, e := range examples {
		if !e.Labelled {
			return nil, notLabelled(e)
		}
		if *predictions[i].Choice == e.Right {
			right++
		}
	}
	return namedScores(ofChoices, ratio(right, len(examples))).first(m.kept().Metric)
}
