package tasks

import (
	"cmp"
	"context"
	"fmt"
	"iter"
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
	var first *Example
	return examples(rows(path, table{format: JSONL, columns: columns}), func(r *row) (*Example, error) {
		e, err := parseChoices(r)
		if first == nil {
			first = e
		}
		if err == nil {
			err = asManyChoices(e, first)
		}
		return e, err
	})
}

// asManyChoices refuses an example that has not as many choices as another: they are one batch.
func asManyChoices(e, other *Example) error {
	if len(e.Texts) != len(other.Texts) {
		return bad(e.Place, "%d choices, want %d as in %s", len(e.Texts)-1, len(other.Texts)-1, other.Place)
	}
	return nil
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
	label := ""
	if len(r.cells) > choiceLabel {
		if label, err = r.text(choiceLabel, "right choice"); err != nil {
			return nil, err
		}
	}
	return choiceExample(r.place, about[choiceContext], about[choiceQuestion], choices, label)
}

// choiceExample returns the example of a passage, a question, choices and which is right: a number from 0, a letter
// from A, or the choice itself; empty is not known.
func choiceExample(place, passage, question string, choices []string, label string) (*Example, error) {
	if len(choices) < 2 {
		return nil, bad(place, "%d choices, want at least 2", len(choices))
	}
	e := &Example{ID: place, Place: place, Texts: []string{passage}}
	for _, choice := range choices {
		switch {
		case question == "":
		case strings.Contains(question, "_"): // a gap
			choice = strings.Replace(question, "_", choice, 1)
		default:
			choice = question + " " + choice
		}
		e.Texts = append(e.Texts, choice)
	}
	if label == "" {
		return e, nil
	}
	e.Labelled, e.Right = true, slices.Index(choices, label)
	if n, err := strconv.Atoi(label); err == nil {
		e.Right = n
	} else if len(label) == 1 && label[0] >= 'A' && int(label[0]-'A') < len(choices) {
		e.Right = int(label[0] - 'A')
	}
	if e.Right < 0 || e.Right >= len(choices) {
		return nil, bad(place, "the right choice is %q, want 0 to %d, a letter from A, or one of the choices",
			shortened(label, 40), len(choices)-1)
	}
	return e, nil
}

// Example takes a passage, which may be empty, and the choices.
func (m *multipleChoice) Example(texts ...string) (*Example, error) {
	if len(texts) == 0 {
		return nil, fmt.Errorf("tasks: no text, task %s wants a passage or question, and the choices", m.name)
	}
	return choiceExample(typed, texts[0], "", texts[1:], "")
}

func (m *multipleChoice) Adopt(c models.Config) error {
	return checkArchitecture(m, c, models.ForMultipleChoice)
}

func (m *multipleChoice) Learn(examples []*Example) error {
	for _, e := range examples {
		if err := asManyChoices(e, examples[0]); err != nil {
			return err
		}
	}
	return nil
}

func (m *multipleChoice) Configure(c models.Config) (models.Config, error) {
	c.Architecture, c.Labels, c.ProblemType = models.ForMultipleChoice, models.Labels{}, ""
	return c, nil
}

// Features makes [CLS] passage [SEP] question and choice [SEP] of each choice. The second keeps its end if it is too
// long, the choice, as in Google's race_utils.py; then the longer one is shortened.
func (m *multipleChoice) Features(e *Example, t tokenizer.Tokenizer) ([]*Feature, error) {
	n, most := m.options.encoder(), cmp.Or(m.options.MaxQueryLength, 128)
	f := &Feature{}
	passage := t.Encode(e.Texts[0])
	for _, text := range e.Texts[1:] {
		choice, cut := append([]int32{}, t.Encode(text)...), false
		if len(choice) > most {
			if m.options.NoTruncate {
				return nil, fmt.Errorf("tasks: %s: question and choice have %d tokens, want at most %d; allow truncation, "+
					"or longer ones", e.Place, len(choice), most)
			}
			choice, cut = choice[len(choice)-most:], true
		}
		a, b, special := passage, choice, 3
		if e.Texts[0] == "" {
			a, b, special = choice, nil, 2
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
	choice := argMax(outputs[0])
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
	return Scores{{"accuracy", ratio(right, len(examples))}}.first(cmp.Or(m.options.Metric, "accuracy"))
}
