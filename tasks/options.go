package tasks

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Options say how examples are read and what a model sees of them. The zero value is usable.
type Options struct {
	// Columns of tables and keys of JSON lines: names, or numbers from 1 of a file without a header. Empty are the
	// usual names (text, sentence, sentence1; text_pair, sentence2; label, score; negative) of a file with one.
	Text, Pair, Negative string
	Label                []string // one column; or several of 0 and 1, each a label
	Format               Format   // empty is by the end of the file's name
	Header               bool     // the first line is none of the examples, although columns are numbers

	Labels         []string          // in the order of a model's outputs; nil are those of the training examples, sorted
	MultiLabel     bool              // labels that do not exclude each other
	LabelSeparator string            // between the labels of one column; empty is a comma
	LabelMap       map[string]string // what the labels of a file are called in place of their own names
	Metric         string            // the score that comes first; empty is the task's own

	MaxLength  int  // most tokens of a sequence, special ones included; 0 is 512
	NoTruncate bool // a longer one is an error

	DocStride       int     // of questions: tokens from one window of a passage to the next; 0 is 128
	MaxQueryLength  int     // most tokens of a question; 0 is 64 (with choices 128)
	MaxAnswerLength int     // most tokens of an answer; 0 is 30
	NBest           int     // candidates of each end of an answer; 0 is 20
	NoAnswer        bool    // a question may have none, as in SQuAD v2.0
	NullThreshold   float64 // by how much the logit of no answer must exceed that of the best one

	Scale float64 // what a value of similarity is divided by to be a cosine; 0 is 1
}

// renamed returns what a label of a file is called.
func (o Options) renamed(label string) string {
	if name, ok := o.LabelMap[label]; ok {
		return name
	}
	return label
}

func (o Options) maxLength() int { return cmp.Or(o.MaxLength, 512) }

// constructors are the tasks by name.
var constructors = map[string]func(Options) Task{
	"classification":     newClassification,
	"regression":         newRegression,
	"tokens":             newTokens,
	"multiple-choice":    newMultipleChoice,
	"similarity":         newSimilarity,
	"question-answering": newQuestionAnswering,
}

// Names returns the names of all tasks, sorted.
func Names() []string {
	return slices.Sorted(func(yield func(string) bool) {
		for name := range constructors {
			if !yield(name) {
				return
			}
		}
		for name := range layouts {
			if !yield(name) {
				return
			}
		}
	})
}

// formats are those that the files of a general task may be said to have; the others have one of their own.
var formats = map[string][]Format{
	"classification": {TSV, QuotedTSV, CSV, JSONL},
	"regression":     {TSV, QuotedTSV, CSV, JSONL},
	"similarity":     {TSV, QuotedTSV, CSV, JSONL},
	"tokens":         {CoNLL, JSONL},
}

// checkFormat refuses a format in which the files of a task cannot be.
func (o Options) checkFormat(task string) error {
	switch allowed := formats[task]; {
	case o.Format == "" || slices.Contains(allowed, o.Format):
		return nil
	case allowed == nil:
		return fmt.Errorf("tasks: the format of files is %q, task %s has its own; give none", o.Format, task)
	default:
		return fmt.Errorf("tasks: the format of files is %q, task %s wants one of %v; or give none, and it is by the end of a "+
			"file's name", o.Format, task, allowed)
	}
}

// validate reports the first value that the task of that name cannot have.
func (o Options) validate(task string) error {
	if err := o.checkFormat(task); err != nil {
		return err
	}
	if err := checkMetric(o.Metric, possibleScores[General(task)]); err != nil {
		return err
	}
	if o.MaxLength < 0 || o.maxLength() < 8 {
		return fmt.Errorf("tasks: the most tokens of a sequence are %d, want at least 8", o.MaxLength)
	}
	for _, n := range []struct {
		what  string
		value int
	}{
		{"the tokens from one window to the next", o.DocStride}, {"the most tokens of a question", o.MaxQueryLength},
		{"the most tokens of an answer", o.MaxAnswerLength}, {"the candidates of an answer", o.NBest},
	} {
		if n.value < 0 {
			return fmt.Errorf("tasks: %s are %d, want 1 or more, or 0", n.what, n.value)
		}
	}
	if math.IsNaN(o.NullThreshold) || math.IsInf(o.NullThreshold, 0) {
		return fmt.Errorf("tasks: the threshold of no answer is %v, want a finite number", o.NullThreshold)
	}
	if !(o.Scale >= 0) || math.IsInf(o.Scale, 0) {
		return fmt.Errorf("tasks: the scale is %v, want above 0, or 0", o.Scale)
	}
	return nil
}

// New returns the task of that name.
func New(name string, o Options) (Task, error) {
	construct, general := constructors[name]
	l, known := layouts[name]
	if !general && !known {
		return nil, fmt.Errorf("tasks: task is %q, want one of %s", name, strings.Join(Names(), ", "))
	}
	if err := o.validate(name); err != nil {
		return nil, err
	}
	if general {
		return construct(o), nil
	}
	return l.open(name, o), nil
}
