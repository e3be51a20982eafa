package tasks

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strings"

	"goalbert/models"
	"goalbert/tokenizer"
)

// classification is one or two sentences and a label, or several that do not exclude each other.
type classification struct {
	name    string
	options Options
	tables  []table // of a layout that is known by name; nil are the options' columns
	labels  vocabulary
	texts   int    // of each example, 1 or 2; 0 is either, or not known yet
	own     *table // of the data set that the model was fine-tuned on; a file that has its columns is read by it
}

func newClassification(o Options) Task {
	labels := o.Labels
	if len(o.Label) > 1 && labels == nil {
		labels = o.labelsOfColumns()
	}
	return &classification{name: "classification", options: o, labels: newVocabulary(labels)}
}

// labelsOfColumns returns the labels that columns of 0 and 1 have; columns of one name are one label.
func (o Options) labelsOfColumns() []string {
	var labels []string
	for _, column := range o.Label {
		if name := o.renamed(column); !slices.Contains(labels, name) {
			labels = append(labels, name)
		}
	}
	return labels
}

func (c *classification) Name() string { return c.name }

func (c *classification) columns(labelled bool) []table {
	t := table{format: c.options.Format, header: c.options.Header, columns: c.options.textColumns(c.texts)}
	tables := c.tables
	if tables == nil {
		for _, name := range orEmpty(c.options.Label) {
			t.columns = append(t.columns, column{role: "label", name: name, usual: usualLabel})
		}
		tables = []table{t}
		if c.own != nil && c.options.namesNoColumn() {
			own := *c.own
			own.format, own.guess = t.format, true
			tables = []table{own, t}
		}
	}
	if labelled {
		return tables
	}
	return withoutLabels(tables, c.tables == nil)
}

// orEmpty returns names, or one that is empty.
func orEmpty(names []string) []string {
	if len(names) == 0 {
		return []string{""}
	}
	return names
}

// withoutLabels keeps the columns of text. A file of which nothing is said may be one text a line.
func withoutLabels(tables []table, plain bool) []table {
	var kept []table
	for _, t := range tables {
		t.columns = t.columns[:2]
		kept = append(kept, t)
	}
	if last := len(kept) - 1; plain {
		return append(kept[:last], withPlain(kept[last])...)
	}
	return kept
}

// withPlain adds to a table of which nothing is said that it may be one text a line: a file of one column. Of a table of
// several that are not known nobody can say which is meant.
func withPlain(t table) []table {
	columns := slices.Clone(t.columns)
	for _, c := range columns {
		if c.name != "" {
			return []table{t}
		}
	}
	columns[0].name = "1"
	return []table{t, {format: t.format, header: t.header, plain: true, columns: columns}}
}

func (c *classification) Read(path string, labelled bool) iter.Seq2[*Example, error] {
	return examples(rows(path, c.columns(labelled)...), func(r *row) (*Example, error) { return c.example(r, labelled) })
}

func (c *classification) example(r *row, labelled bool) (*Example, error) {
	e, err := textExample(r, c.texts)
	if err != nil || !labelled {
		return e, err
	}
	e.Labelled = true
	if e.Labels, err = c.labelsOf(r, r.cells[2:]); err != nil {
		return nil, err
	}
	return e, nil
}

// labelsOf returns the labels that cells name: one; several with a separator, or a list; or those of the columns that
// are 1.
func (c *classification) labelsOf(r *row, cells []any) ([]string, error) {
	if len(cells) > 1 {
		labels := []string{}
		for i := range cells {
			switch text, err := r.text(2+i, "label"); {
			case err != nil:
				return nil, err
			case text == "1" || text == "true":
				labels = append(labels, c.options.renamed(c.options.Label[i]))
			case text != "0" && text != "false":
				return nil, bad(r.place, "label %q is %q, want 0 or 1", c.options.Label[i], text)
			}
		}
		return labels, nil
	}
	if list, ok := cells[0].([]any); ok && c.options.MultiLabel {
		labels := []string{}
		for _, item := range list {
			text, err := (&row{r.place, []any{item}}).text(0, "label")
			if err != nil {
				return nil, err
			}
			labels = append(labels, text)
		}
		return c.checked(r, labels)
	}
	text, err := r.text(2, "label")
	if err != nil {
		return nil, err
	}
	if !c.options.MultiLabel {
		return c.checked(r, []string{strings.TrimSpace(text)})
	}
	labels := []string{}
	for part := range strings.SplitSeq(text, c.labelSeparator()) {
		if part = strings.TrimSpace(part); part != "" {
			labels = append(labels, part)
		}
	}
	return c.checked(r, labels)
}

// checked returns labels under their other names, and refuses what is none.
func (c *classification) checked(r *row, labels []string) ([]string, error) {
	for i, label := range labels {
		label = c.options.renamed(label)
		labels[i] = label
		if label == "" {
			return nil, bad(r.place, "the label is empty, want a name")
		}
		if strings.ContainsRune(label, 0) {
			return nil, bad(r.place, "label %q has a NUL, want text", label)
		}
	}
	return labels, nil
}

// multi says whether labels do not exclude each other.
func (c *classification) multi() bool { return c.options.MultiLabel || len(c.options.Label) > 1 }

func (c *classification) Example(texts ...string) (*Example, error) { return typedSentences(c, texts) }

func (c *classification) Adopt(config models.Config) error {
	if err := checkArchitecture(c, config, models.ForSequenceClassification); err != nil {
		return err
	}
	if config.Problem() == models.Regression {
		return fmt.Errorf("tasks: the model is of a regression, task %s wants labels", c.name)
	}
	multi := config.Problem() == models.MultiLabel
	if c.multi() && !multi {
		return errors.New("tasks: several labels of an example are asked for, and the model's exclude each other; ask for one")
	}
	c.options.MultiLabel = multi
	c.labels.adopt(config)
	c.texts, c.own = config.TaskParams.Texts, pairTable(config.TaskParams.Task)
	if m := c.options.Metric; m == config.TaskParams.Metric && !slices.Contains(c.scoreNames(), m) {
		c.options.Metric = "" // kept by a version that did not check it
	}
	return checkMetric(c.options.Metric, c.scoreNames())
}

func (c *classification) Learn(examples []*Example) error {
	if err := c.labels.learn(examples); err != nil {
		return err
	}
	if len(c.labels.names) < 2 && !c.multi() {
		return fmt.Errorf("tasks: all training examples have the label %q; want at least two labels", c.labels.names[0])
	}
	c.texts = textsOf(examples)
	return nil
}

func (c *classification) Configure(config models.Config) (models.Config, error) {
	if c.labels.names == nil {
		return config, errLabelsUnknown
	}
	config.Architecture = models.ForSequenceClassification
	config.Labels = models.NewLabels(c.labels.names...)
	config.ProblemType = models.SingleLabel
	if c.multi() {
		config.ProblemType = models.MultiLabel
	}
	config.TaskParams = c.kept()
	return config, checkMetric(c.options.Metric, c.scoreNames())
}

func (c *classification) Features(e *Example, t tokenizer.Tokenizer) ([]*Feature, error) {
	f, err := sentenceFeature(c.options.encoder(), e, c.texts, t)
	if err != nil || !e.Labelled {
		return []*Feature{f}, err
	}
	if c.multi() {
		f.Targets = make([]float32, len(c.labels.names))
	}
	for _, name := range e.Labels {
		id, err := c.labels.id(e, name)
		if err != nil {
			return nil, err
		}
		if c.multi() {
			f.Targets[id] = 1
		} else {
			f.Labels = []int32{id}
		}
	}
	return []*Feature{f}, nil
}

func (c *classification) Predict(e *Example, _ []*Feature, outputs [][]float32) (*Prediction, error) {
	logits := outputs[0]
	if len(logits) != len(c.labels.names) {
		return nil, fmt.Errorf("tasks: %s: %d logits for %d labels", e.Place, len(logits), len(c.labels.names))
	}
	p := &Prediction{Probabilities: map[string]float64{}}
	if !c.multi() {
		p.Label = c.labels.names[ArgMax(logits)]
		for i, probability := range softmax(logits) {
			p.Probabilities[c.labels.names[i]] = probability
		}
		return p, nil
	}
	p.Labels = []string{}
	for i, x := range logits {
		p.Probabilities[c.labels.names[i]] = sigmoid(float64(x))
		if applies(x) {
			p.Labels = append(p.Labels, c.labels.names[i])
		}
	}
	return p, nil
}

func softmax(logits []float32) []float64 {
	largest, sum := float64(logits[ArgMax(logits)]), 0.0
	probabilities := make([]float64, len(logits))
	for i, x := range logits {
		probabilities[i] = math.Exp(float64(x) - largest)
		sum += probabilities[i]
	}
	for i := range probabilities {
		probabilities[i] /= sum
	}
	return probabilities
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// Score gives accuracy, F1 and Matthews correlation: F1 of the second of two labels, as GLUE has it, of more the mean
// over labels. Of labels that do not exclude each other it gives F1 over all of them, the mean of each one's, and
// how often all are right.
func (c *classification) Score(_ context.Context, examples []*Example, predictions []*Prediction) (Scores, error) {
	if c.multi() {
		return c.scoreMulti(examples, predictions)
	}
	want, got := make([]int, len(examples)), make([]int, len(examples))
	for i, e := range examples {
		if !e.Labelled {
			return nil, notLabelled(e)
		}
		id, err := c.labels.id(e, e.Labels[0])
		if err != nil {
			return nil, err
		}
		want[i], got[i] = int(id), int(c.labels.ids[predictions[i].Label])
	}
	m := newConfusion(want, got, len(c.labels.names))
	var scores Scores
	if len(c.labels.names) == 2 {
		scores = namedScores(ofTwoLabels, m.Accuracy(), m.F1(1), m.Matthews())
	} else {
		scores = namedScores(ofMoreLabels, m.Accuracy(), m.MacroF1(), m.MicroF1(), m.Matthews())
	}
	return scores.first(c.kept().Metric)
}

// scoreNames are those of Score, once the labels are known.
func (c *classification) scoreNames() []string {
	switch {
	case c.multi():
		return ofSeveralLabels
	case len(c.labels.names) == 2:
		return ofTwoLabels
	}
	return ofMoreLabels
}

func (c *classification) scoreMulti(examples []*Example, predictions []*Prediction) (Scores, error) {
	want, got := make([][]bool, len(examples)), make([][]bool, len(examples))
	for i, e := range examples {
		if !e.Labelled {
			return nil, notLabelled(e)
		}
		want[i], got[i] = make([]bool, len(c.labels.names)), make([]bool, len(c.labels.names))
		for _, name := range e.Labels {
			id, err := c.labels.id(e, name)
			if err != nil {
				return nil, err
			}
			want[i][id] = true
		}
		for _, name := range predictions[i].Labels {
			got[i][c.labels.ids[name]] = true
		}
	}
	micro, macro, subset := multiLabelScores(want, got)
	return namedScores(ofSeveralLabels, micro, macro, subset).first(c.kept().Metric)
}

func notLabelled(e *Example) error {
	return fmt.Errorf("tasks: %s has no label to compare with; give a file of labelled examples", e.Place)
}
