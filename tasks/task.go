package tasks

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"strings"

	"goalbert/models"
	"goalbert/tokenizer"
)

// Task is what a model is fine-tuned for. A program calls the methods in this order; a model that is fine-tuned already
// gives its labels with Adopt, one that will be learns them from the training examples.
//
//	examples ──Learn──▶ labels ──Configure──▶ config
//	example ──Features──▶ batches ──model──▶ outputs ──Predict──▶ predictions ──Score──▶ scores
type Task interface {
	// Name is the name that New knows the task by.
	Name() string
	// Read yields the examples of a file one at a time; without labelled, what they are labelled with is not looked
	// for. A bad one is a *BadExample, after which the reading goes on; any other error is the last.
	Read(path string, labelled bool) iter.Seq2[*Example, error]
	// Example makes an example of texts that somebody typed, in the order of Example.Texts.
	Example(texts ...string) (*Example, error)
	// Adopt takes the labels of a model that was fine-tuned for the task, and refuses one that was not.
	Adopt(c models.Config) error
	// Learn finds the labels of training examples. Where they are known already it checks that they are these.
	Learn(examples []*Example) error
	// Configure returns c with the architecture, labels and problem type of the task.
	Configure(c models.Config) (models.Config, error)
	// Features returns what a model sees of an example, with labels where the example has them.
	Features(e *Example, t tokenizer.Tokenizer) ([]*Feature, error)
	// Predict returns what outputs say of an example, one output for each of its features: (labels) logits of a
	// classification or regression, (tokens, labels) of tokens, (tokens, 2) of a question, start before end,
	// (choices) of multiple choice, (sentences, H) embeddings of similarity.
	Predict(e *Example, features []*Feature, outputs [][]float32) (*Prediction, error)
	// Score compares predictions with the labels of their examples. The first score is the task's own metric.
	// It ends early with the error of ctx.
	Score(ctx context.Context, examples []*Example, predictions []*Prediction) (Scores, error)
}

// Example is one example of any task; each task has its own fields.
type Example struct {
	ID    string // the file's name for it, or its place
	Place string // file and line
	Group string // examples that HoldOut keeps together: an article's questions

	// Texts are one or two sentences of a classification or regression; a question and its passage; what choices are
	// about (may be empty) and the choices; the sentences of similarity.
	Texts []string
	Words []string // of tokens

	Labelled   bool
	Labels     []string // one class, or all that apply; the tag of each word
	Value      float64  // of a regression, or how similar two sentences are
	Answers    []Answer // to a question, any of which is right
	Impossible bool     // the passage does not answer the question
	Right      int      // which choice

	spans [][2]int // of words that were cut from Texts[0]: their bytes
}

// Answer is a span of a passage.
type Answer struct {
	Text  string `json:"text"`
	Start int    `json:"start"` // bytes of the passage before it
}

// Sequence is one input of a model, [CLS] and [SEP] included.
type Sequence struct{ InputIDs, TokenTypeIDs []int32 }

// Feature is what a model sees of an example, or of a window of it.
type Feature struct {
	Sequences []Sequence // one; of multiple choice one for each choice, of similarity one for each sentence
	Labels    []int32    // as models.Batch.Labels has them for this feature; nil without labels
	Targets   []float32  // as models.Batch.Targets
	Example   int        // which example of the set it is of
	Truncated bool       // tokens were cut off

	words  []int   // of tokens: the word that each token begins, or −1
	window *window // of a question
}

// Tokens returns the tokens of all sequences of f.
func (f *Feature) Tokens() int {
	n := 0
	for _, s := range f.Sequences {
		n += len(s.InputIDs)
	}
	return n
}

// Pack puts features into one batch, without padding. They must be of one task; labels are there if all have them.
func Pack(features []*Feature) *models.Batch {
	b := &models.Batch{Offsets: []int{0}}
	labels, targets := true, true
	for _, f := range features {
		labels, targets = labels && f.Labels != nil, targets && f.Targets != nil
		b.Group = len(f.Sequences)
		for _, s := range f.Sequences {
			b.InputIDs = append(b.InputIDs, s.InputIDs...)
			b.TokenTypeIDs = append(b.TokenTypeIDs, s.TokenTypeIDs...)
			for i := range s.InputIDs {
				b.PositionIDs = append(b.PositionIDs, int32(i))
			}
			b.Offsets = append(b.Offsets, len(b.InputIDs))
		}
	}
	for _, f := range features {
		if labels {
			b.Labels = append(b.Labels, f.Labels...)
		}
		if targets {
			b.Targets = append(b.Targets, f.Targets...)
		}
	}
	return b
}

// Prediction is what a model says of an example; each task has its own fields.
type Prediction struct {
	Label         string             `json:"label,omitempty"`         // the most probable class
	Labels        []string           `json:"labels,omitzero"`         // classes of a probability of at least ½; a tag of each word
	Probabilities map[string]float64 `json:"probabilities,omitempty"` // of each class
	Value         *float64           `json:"value,omitempty"`         // of a regression; the cosine of two sentences
	Entities      []Entity           `json:"entities,omitzero"`
	Answer        *string            `json:"answer,omitempty"`      // empty where the passage has none
	Probability   *float64           `json:"probability,omitempty"` // of the answer among the n-best
	NBest         []Candidate        `json:"n_best,omitempty"`      // answers, most probable first
	NullOdds      *float64           `json:"null_odds,omitempty"`   // logit of no answer over that of the best one
	Choice        *int               `json:"choice,omitempty"`      // counted from 0
	Embeddings    [][]float32        `json:"embeddings,omitempty"`  // of each sentence, of length 1
}

// Scores are named figures of a set of predictions; the first is the task's own metric, of which the best checkpoint
// has the largest.
type Scores []Score

// Score is one of them.
type Score struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

// BadExample is what is wrong with one example of a file.
type BadExample struct {
	Place, Problem string
	Published      bool // the data set is known to have it, and it is left out even where others are refused
}

func (e *BadExample) Error() string { return fmt.Sprintf("tasks: %s: %s", e.Place, e.Problem) }

func bad(place, format string, arguments ...any) error {
	return &BadExample{Place: place, Problem: fmt.Sprintf(format, arguments...)}
}

// Set is examples and what a model sees of them.
type Set struct {
	Examples  []*Example
	Features  []*Feature // in the order of the examples
	Bad       int        // examples that were left out
	FirstBad  error      // what was wrong with the first of them
	Truncated int        // examples of which tokens were cut off
}

// Load reads the examples of files. A bad one is the error, or with skipBad is left out and counted.
func Load(task Task, labelled, skipBad bool, paths ...string) (*Set, error) {
	s := &Set{}
	for part, err := range Parts(task, labelled, skipBad, math.MaxInt, paths...) {
		if err != nil {
			return nil, err
		}
		s = part
	}
	return s, nil
}

// Parts reads the examples of files as Load does, n at a time: a set of each n. The counts of a set are those of its own
// examples, and of the bad ones before its last.
func Parts(task Task, labelled, skipBad bool, n int, paths ...string) iter.Seq2[*Set, error] {
	return func(yield func(*Set, error) bool) {
		s, all := &Set{}, 0
		for _, path := range paths {
			for e, err := range task.Read(path, labelled) {
				if problem := s.admit(err, skipBad); problem != nil {
					yield(nil, problem)
					return
				}
				if err != nil {
					continue
				}
				s.Examples = append(s.Examples, e)
				if all++; len(s.Examples) == n {
					if !yield(s, nil) {
						return
					}
					s = &Set{}
				}
			}
		}
		switch {
		case len(s.Examples) > 0, all > 0 && s.Bad > 0:
			yield(s, nil)
		case all == 0 && s.Bad > 0:
			yield(nil, s.allBad())
		case all == 0:
			yield(nil, fmt.Errorf("tasks: %s: no example; want at least one", strings.Join(paths, ", ")))
		}
	}
}

// admit counts the error of a bad example that is left out, and returns any other.
func (s *Set) admit(err error, skipBad bool) error {
	var badExample *BadExample
	if err == nil || !errors.As(err, &badExample) || !skipBad && !badExample.Published {
		return err
	}
	if s.Bad++; s.FirstBad == nil {
		s.FirstBad = err
	}
	return nil
}

// Encode makes the features of the examples.
func (s *Set) Encode(task Task, t tokenizer.Tokenizer) error {
	s.Features, s.Truncated = nil, 0
	for i, e := range s.Examples {
		features, err := task.Features(e, t)
		if err != nil {
			return err
		}
		truncated := false
		for _, f := range features {
			f.Example = i
			truncated = truncated || f.Truncated
		}
		if truncated {
			s.Truncated++
		}
		s.Features = append(s.Features, features...)
	}
	return nil
}

func (s *Set) allBad() error {
	first := strings.TrimPrefix(s.FirstBad.Error(), "tasks: ")
	return fmt.Errorf("tasks: all %d examples are bad; the first: %s", s.Bad, first)
}

// Predict returns the predictions of all examples of s, whose features have those outputs.
func (s *Set) Predict(task Task, outputs [][]float32) ([]*Prediction, error) {
	if len(outputs) != len(s.Features) {
		return nil, fmt.Errorf("tasks: %d outputs for %d features", len(outputs), len(s.Features))
	}
	predictions := make([]*Prediction, len(s.Examples))
	for begin := 0; begin < len(s.Features); {
		i, end := s.Features[begin].Example, begin
		for ; end < len(s.Features) && s.Features[end].Example == i; end++ {
			if !finite(outputs[end]) {
				return nil, fmt.Errorf("tasks: %s: the outputs are not finite; the weights are damaged or the training "+
					"diverged", s.Examples[i].Place)
			}
		}
		var err error
		if predictions[i], err = task.Predict(s.Examples[i], s.Features[begin:end], outputs[begin:end]); err != nil {
			return nil, err
		}
		begin = end
	}
	return predictions, nil
}

func finite(values []float32) bool {
	for _, v := range values {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return false
		}
	}
	return true
}
