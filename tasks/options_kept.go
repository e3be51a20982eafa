package tasks

import (
	"cmp"
	"slices"

	"goalbert/models"
)

// kept returns what a model keeps of the options that every task has.
func (o Options) kept(task, metric string) models.TaskParams {
	return models.TaskParams{Task: task, Metric: cmp.Or(o.Metric, metric), MaxLength: o.maxLength()}
}

// With returns o with the options that a model was fine-tuned with. Those stay whose names, as the command's flags have
// them, are own.
func (o Options) With(p models.TaskParams, own func(option string) bool) Options {
	for _, kept := range []struct {
		option string
		take   func()
	}{
		{"metric", func() {
			if slices.Contains(possibleScores[General(p.Task)], p.Metric) { // of a version that did not check it, it may be none
				o.Metric = p.Metric
			}
		}},
		{"max-length", func() { o.MaxLength = p.MaxLength }},
		{"label-separator", func() { o.LabelSeparator = p.LabelSeparator }},
		{"doc-stride", func() { o.DocStride = p.DocStride }},
		{"max-query-length", func() { o.MaxQueryLength = p.MaxQueryLength }},
		{"max-answer-length", func() { o.MaxAnswerLength = p.MaxAnswerLength }},
		{"n-best", func() { o.NBest = p.NBest }},
		{"no-answer", func() { o.NoAnswer = p.NoAnswer }},
		{"null-threshold", func() { o.NullThreshold = p.NullThreshold }},
		{"scale", func() { o.Scale = p.Scale }},
	} {
		if !own(kept.option) {
			kept.take()
		}
	}
	return o
}

// Each task's own metric, and what a model keeps of its options.

func (c *classification) kept() models.TaskParams {
	p := c.options.kept(c.name, c.scoreNames()[0])
	p.Texts = c.texts
	if c.multi() {
		p.LabelSeparator = c.labelSeparator()
	}
	return p
}

func (c *classification) labelSeparator() string { return cmp.Or(c.options.LabelSeparator, ",") }

func (r *regression) kept() models.TaskParams {
	p := r.options.kept(r.name, ofValues[0])
	p.Texts = r.texts
	return p
}

func (k *tokens) kept() models.TaskParams { return k.options.kept(k.Name(), ofTags[0]) }

func (q *questionAnswering) kept() models.TaskParams {
	p, o := q.options.kept(q.name, q.scoreNames()[0]), q.options
	p.DocStride, p.MaxQueryLength, p.MaxAnswerLength = q.docStride(), q.maxQuery(), q.maxAnswer()
	p.NBest, p.NoAnswer, p.NullThreshold = q.nBest(), o.NoAnswer, o.NullThreshold
	return p
}

func (m *multipleChoice) kept() models.TaskParams {
	p := m.options.kept(m.name, ofChoices[0])
	p.MaxQueryLength = m.maxQuery()
	return p
}

func (m *multipleChoice) maxQuery() int { return cmp.Or(m.options.MaxQueryLength, 128) }

// kept leaves the metric open where none is given: it depends on whether sentences have values.
func (s *similarity) kept() models.TaskParams {
	p := s.options.kept(s.name, "")
	p.Scale = s.options.Scale
	return p
}
