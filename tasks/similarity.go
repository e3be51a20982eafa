package tasks

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math"

	"goalbert/models"
	"goalbert/tokenizer"
)

// similarity is sentences whose embeddings are to be near one another: pairs with how similar they are, pairs that
// are, or an anchor, one that is and one that is not.
//
// Reimers and Gurevych, "Sentence-BERT", arXiv:1908.10084.
type similarity struct {
	name    string
	options Options
	tables  []table
}

func newSimilarity(o Options) Task { return &similarity{name: "similarity", options: o} }

func (s *similarity) Name() string { return s.name }

// Cells of a row.
const (
	anchorText = iota
	positiveText
	negativeText
	similarValue
)

func (s *similarity) columns(labelled bool) []table {
	if s.tables != nil && labelled {
		return s.tables
	} else if s.tables != nil {
		return withoutLabels(s.tables, false)
	}
	o := s.options
	value := o.valueColumn()
	value.optional = true
	t := table{format: o.Format, header: o.Header, columns: []column{
		{role: "text", name: o.Text, usual: append([]string{"anchor"}, usualText...)},
		{role: "second text", name: o.Pair, usual: append([]string{"positive"}, usualPair...), optional: !labelled},
		{role: "negative", name: o.Negative, usual: []string{"negative"}, optional: true},
		value,
	}}
	if labelled {
		return []table{t}
	}
	t.columns = t.columns[:similarValue]
	return withPlain(t)
}

func (s *similarity) Read(path string, labelled bool) iter.Seq2[*Example, error] {
	var first *Example
	return examples(rows(path, s.columns(labelled)...), func(r *row) (*Example, error) {
		e := &Example{ID: r.place, Place: r.place}
		for i, role := range []string{"text", "second text", "negative"} {
			if i >= len(r.cells) || r.cells[i] == nil {
				continue
			}
			text, err := r.text(i, role)
			if err != nil {
				return nil, err
			}
			e.Texts = append(e.Texts, text)
		}
		if labelled && r.cells[similarValue] != nil {
			value, err := r.number(similarValue, "value")
			if err != nil {
				return nil, err
			}
			e.Labelled, e.Value = true, value/cmp.Or(s.options.Scale, 1)
			if !(e.Value >= -1 && e.Value <= 1) {
				return nil, bad(r.place, "the value is %v, a cosine of %v, want -1 to 1; divide by a larger scale", value,
					e.Value)
			}
		}
		if first == nil {
			first = e
		}
		return e, alike(e, first)
	})
}

// alike refuses an example that is not of as many texts as another, with a value or without.
func alike(e, other *Example) error {
	if len(e.Texts) != len(other.Texts) || e.Labelled != other.Labelled {
		return bad(e.Place, "%d texts and %s, want %d and %s as in %s", len(e.Texts), valued(e), len(other.Texts),
			valued(other), other.Place)
	}
	return nil
}

func valued(e *Example) string {
	if e.Labelled {
		return "a value"
	}
	return "no value"
}

// Example takes one sentence, or several that are compared.
func (s *similarity) Example(texts ...string) (*Example, error) {
	if len(texts) == 0 {
		return nil, fmt.Errorf("tasks: no text, task %s wants at least one", s.name)
	}
	return &Example{ID: typed, Place: typed, Texts: texts}, nil
}

func (s *similarity) Adopt(c models.Config) error { return checkArchitecture(s, c, models.BaseModel) }

func (s *similarity) Learn(examples []*Example) error {
	if len(examples[0].Texts) < 2 {
		return bad(examples[0].Place, "one text, want two, or three with one that is not similar")
	}
	if !examples[0].Labelled && len(examples) < 2 {
		return fmt.Errorf("tasks: one training example; want at least two, whose sentences are told apart")
	}
	for _, e := range examples {
		if err := alike(e, examples[0]); err != nil {
			return err
		}
	}
	if examples[0].Labelled {
		return checkMetric(s.options.Metric, ofValues)
	}
	return checkMetric(s.options.Metric, ofRetrieval)
}

func (s *similarity) Configure(c models.Config) (models.Config, error) {
	c.Architecture, c.Labels, c.ProblemType = models.BaseModel, models.Labels{}, ""
	c.TaskParams = s.kept()
	return c, nil
}

func (s *similarity) Features(e *Example, t tokenizer.Tokenizer) ([]*Feature, error) {
	f := &Feature{}
	for _, text := range e.Texts {
		sequence, truncated, err := s.options.encoder().sequence(t, e.Place, text, nil)
		if err != nil {
			return nil, err
		}
		f.Sequences, f.Truncated = append(f.Sequences, sequence), f.Truncated || truncated
	}
	if e.Labelled {
		f.Targets = []float32{float32(e.Value)}
	}
	return []*Feature{f}, nil
}

// Predict returns the embeddings, of length 1, and the cosine of the first two.
func (s *similarity) Predict(e *Example, features []*Feature, outputs [][]float32) (*Prediction, error) {
	sentences := len(features[0].Sequences)
	if len(outputs[0]) == 0 || len(outputs[0])%sentences != 0 {
		return nil, fmt.Errorf("tasks: %s: %d numbers for %d sentences", e.Place, len(outputs[0]), sentences)
	}
	p, width := &Prediction{}, len(outputs[0])/sentences
	for i := range sentences {
		p.Embeddings = append(p.Embeddings, normalized(outputs[0][i*width:(i+1)*width]))
	}
	if sentences > 1 {
		cosine := Dot(p.Embeddings[0], p.Embeddings[1])
		p.Value = &cosine
	}
	return p, nil
}

// normalized returns x divided by its length; zero stays.
func normalized(x []float32) []float32 {
	length := cmp.Or(math.Sqrt(Dot(x, x)), 1)
	unit := make([]float32, len(x))
	for i, v := range x {
		unit[i] = float32(float64(v) / length)
	}
	return unit
}

// Score gives Spearman's and Pearson's correlation of cosines and values. Of examples without values it gives how
// often, of all second and third sentences, the one nearest to the first is its own, and the mean reciprocal of the
// place it takes.
func (s *similarity) Score(ctx context.Context, examples []*Example, predictions []*Prediction) (Scores, error) {
	if examples[0].Labelled {
		return correlations(examples, predictions, cmp.Or(s.options.Metric, "spearmanr"))
	}
	accuracy, reciprocal, err := retrieval(ctx, examples, predictions)
	if err != nil {
		return nil, err
	}
	return namedScores(ofRetrieval, accuracy, reciprocal).first(cmp.Or(s.options.Metric, ofRetrieval[0]))
}
