package tasks

import (
	"context"
	"fmt"
	"iter"
	"math"
	"strconv"
	"strings"

	"goalbert/models"
	"goalbert/tokenizer"
)

// regression is one or two sentences and a number, as it is in the file: STS-B's from 0 to 5.
type regression struct {
	name    string
	options Options
	tables  []table
	texts   int // of each example, as of a classification
}

func newRegression(o Options) Task { return &regression{name: "regression", options: o} }

func (r *regression) Name() string { return r.name }

var usualValue = []string{"score", "label", "value"}

// valueColumn is the column of a number.
func (o Options) valueColumn() column {
	return column{role: "value", name: orEmpty(o.Label)[0], usual: usualValue}
}

func (r *regression) columns(labelled bool) []table {
	tables := r.tables
	if tables == nil {
		columns := append(r.options.textColumns(r.texts), r.options.valueColumn())
		tables = []table{{format: r.options.Format, header: r.options.Header, columns: columns}}
	}
	if labelled {
		return tables
	}
	return withoutLabels(tables, r.tables == nil)
}

func (r *regression) Read(path string, labelled bool) iter.Seq2[*Example, error] {
	return examples(rows(path, r.columns(labelled)...), func(row *row) (*Example, error) {
		e, err := textExample(row, r.texts)
		if err == nil && labelled {
			e.Labelled = true
			e.Value, err = row.number(2, "value")
		}
		return e, err
	})
}

// examples makes an example of each row.
func examples(rows iter.Seq2[*row, error], parse func(*row) (*Example, error)) iter.Seq2[*Example, error] {
	return func(yield func(*Example, error) bool) {
		for r, err := range rows {
			var e *Example
			if err == nil {
				e, err = parse(r)
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// number returns a cell of one finite number.
func (r *row) number(i int, role string) (float64, error) {
	text, err := r.text(i, role)
	if err != nil {
		return 0, err
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) || math.Abs(v) > math.MaxFloat32 {
		return 0, bad(r.place, "the %s is %q, want a finite number", role, shortened(text, 40))
	}
	return v, nil
}

func (r *regression) Example(texts ...string) (*Example, error) { return typedSentences(r, texts) }

func (r *regression) Adopt(c models.Config) error {
	if err := checkArchitecture(r, c, models.ForSequenceClassification); err != nil {
		return err
	}
	if c.Problem() != models.Regression || c.Labels.Len() != 1 {
		return fmt.Errorf("tasks: the model has %d labels that are no regression, task %s wants one value; fine-tune it "+
			"first", c.Labels.Len(), r.name)
	}
	r.texts = c.TaskParams.Texts
	return nil
}

func (r *regression) Learn(examples []*Example) error {
	r.texts = textsOf(examples)
	for _, e := range examples {
		if e.Value != examples[0].Value {
			return nil
		}
	}
	return fmt.Errorf("tasks: all training examples have the value %v; want at least two values", examples[0].Value)
}

func (r *regression) Configure(c models.Config) (models.Config, error) {
	c.Architecture, c.ProblemType = models.ForSequenceClassification, models.Regression
	c.Labels, c.TaskParams = models.NewLabels("LABEL_0"), r.kept()
	return c, nil
}

func (r *regression) Features(e *Example, t tokenizer.Tokenizer) ([]*Feature, error) {
	f, err := sentenceFeature(r.options.encoder(), e, r.texts, t)
	if err != nil {
		return nil, err
	}
	if e.Labelled {
		f.Targets = []float32{float32(e.Value)}
	}
	return []*Feature{f}, nil
}

func (r *regression) Predict(e *Example, _ []*Feature, outputs [][]float32) (*Prediction, error) {
	if len(outputs[0]) != 1 {
		return nil, fmt.Errorf("tasks: %s: %d outputs, want one value", e.Place, len(outputs[0]))
	}
	value := float64(outputs[0][0])
	return &Prediction{Value: &value}, nil
}

// Score gives Pearson's and Spearman's correlation.
func (r *regression) Score(_ context.Context, examples []*Example, predictions []*Prediction) (Scores, error) {
	return correlations(examples, predictions, r.kept().Metric)
}

// correlations compares the values of predictions with those of examples; the metric of that name comes first.
func correlations(examples []*Example, predictions []*Prediction, metric string) (Scores, error) {
	want, got := make([]float64, len(examples)), make([]float64, len(examples))
	for i, e := range examples {
		if !e.Labelled {
			return nil, notLabelled(e)
		}
		want[i], got[i] = e.Value, *predictions[i].Value
	}
	return namedScores(ofValues, pearson(want, got), spearman(want, got)).first(metric)
}
