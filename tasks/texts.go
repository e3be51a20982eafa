package tasks

import (
	"fmt"
	"slices"

	"goalbert/tokenizer"
)

// The usual names of columns.
var (
	usualText  = []string{"text", "sentence", "sentence1", "text_a"}
	usualPair  = []string{"text_pair", "sentence2", "text_b"}
	usualLabel = []string{"label", "labels"}
)

// textColumns are the columns of one or two sentences. Where a model takes one, and its column is named, no other is looked
// for.
func (o Options) textColumns(texts int) []column {
	pair := column{role: "second text", name: o.Pair, usual: usualPair, optional: true}
	if texts == 1 && o.Text != "" {
		pair.usual = nil
	}
	return []column{{role: "text", name: o.Text, usual: usualText}, pair}
}

// namesNoColumn reports whether columns are to be found by the names that they usually have.
func (o Options) namesNoColumn() bool { return o.Text == "" && o.Pair == "" && len(o.Label) == 0 }

// textExample returns an example of the one or two sentences in the first two cells of a row, where so many are wanted; 0 is
// either.
func textExample(r *row, want int) (*Example, error) {
	text, err := r.text(0, "text")
	if err != nil {
		return nil, err
	}
	e := &Example{ID: r.place, Place: r.place, Texts: []string{text}}
	if r.cells[1] != nil {
		pair, err := r.text(1, "second text")
		if err != nil {
			return nil, err
		}
		e.Texts = append(e.Texts, pair)
	}
	return e, checkTexts(e, want)
}

// textsOf returns how many texts all of the examples have, and 0 where some have one and others two.
func textsOf(examples []*Example) int {
	n := len(examples[0].Texts)
	if slices.ContainsFunc(examples, func(e *Example) bool { return len(e.Texts) != n }) {
		return 0
	}
	return n
}

// checkTexts refuses an example of another number of texts than a model takes; 0 is either.
func checkTexts(e *Example, want int) error {
	switch got := len(e.Texts); {
	case want == 0 || got == want:
		return nil
	case want == 2:
		return bad(e.Place, "%d text, and the model takes 2; name the columns of both, or put a tab between typed ones", got)
	default:
		return bad(e.Place, "%d texts, and the model takes 1; name its column, or leave the second text out", got)
	}
}

// typed is the place of texts that somebody typed.
const typed = "the text"

// typedSentences returns the example of one or two sentences.
func typedSentences(task Task, texts []string) (*Example, error) {
	if len(texts) < 1 || len(texts) > 2 {
		return nil, fmt.Errorf("tasks: %d texts, task %s wants one or two", len(texts), task.Name())
	}
	return &Example{ID: typed, Place: typed, Texts: texts}, nil
}

// sentenceFeature is one sequence of one or two sentences, of which the model takes so many; 0 is either.
func sentenceFeature(n encoder, e *Example, texts int, t tokenizer.Tokenizer) (*Feature, error) {
	if err := checkTexts(e, texts); err != nil {
		return nil, err
	}
	var pair *string
	if len(e.Texts) > 1 {
		pair = &e.Texts[1]
	}
	s, truncated, err := n.sequence(t, e.Place, e.Texts[0], pair)
	return &Feature{Sequences: []Sequence{s}, Truncated: truncated}, err
}
