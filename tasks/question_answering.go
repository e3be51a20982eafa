package tasks

import (
	"cmp"
	"context"
	"fmt"
	"iter"

	"goalbert/models"
	"goalbert/tokenizer"
)

// questionAnswering is questions, and passages in which their answers stand, or do not.
//
// Rajpurkar et al., "SQuAD", arXiv:1606.05250; "Know What You Don't Know", arXiv:1806.03822. Windows and answers are
// those of Google's run_squad.py.
type questionAnswering struct {
	name    string
	options Options
}

func newQuestionAnswering(o Options) Task {
	return &questionAnswering{name: "question-answering", options: o}
}

func (q *questionAnswering) Name() string { return q.name }

func (q *questionAnswering) Read(path string, labelled bool) iter.Seq2[*Example, error] {
	return readSQuAD(path, labelled, q.options.NoAnswer)
}

// Example takes a question and a passage.
func (q *questionAnswering) Example(texts ...string) (*Example, error) {
	if len(texts) != 2 {
		return nil, fmt.Errorf("tasks: %d texts, task %s wants a question and a passage", len(texts), q.name)
	}
	return &Example{ID: typed, Place: typed, Texts: texts}, nil
}

func (q *questionAnswering) Adopt(c models.Config) error {
	return checkArchitecture(q, c, models.ForQuestionAnswering)
}

func (q *questionAnswering) Learn(examples []*Example) error {
	for _, e := range examples {
		if !e.Impossible {
			return nil
		}
	}
	return fmt.Errorf("tasks: no training question has an answer; want at least one")
}

func (q *questionAnswering) Configure(c models.Config) (models.Config, error) {
	c.Architecture, c.Labels, c.ProblemType = models.ForQuestionAnswering, models.Labels{}, ""
	c.TaskParams = q.kept()
	return c, checkMetric(q.options.Metric, q.scoreNames())
}

// window is what a feature shows of a passage.
type window struct {
	begin int      // the first token of the feature that is of the passage
	spans [][2]int // the bytes of the passage that its tokens stand for
	best  []bool   // whether no other window shows more around the token
}

func (q *questionAnswering) maxQuery() int { return cmp.Or(q.options.MaxQueryLength, 64) }

func (q *questionAnswering) docStride() int { return cmp.Or(q.options.DocStride, 128) }

// Features makes [CLS] question [SEP] passage [SEP], and if the passage is too long several windows of it, each
// DocStride tokens after the one before. A window is labelled with the first and last token of the first answer, and
// with [CLS] where it does not show the whole of it.
func (q *questionAnswering) Features(e *Example, t tokenizer.Tokenizer) ([]*Feature, error) {
	question, truncated := t.Encode(e.Texts[0]), false
	if most := q.maxQuery(); len(question) > most {
		if q.options.NoTruncate {
			return nil, fmt.Errorf("tasks: %s: the question has %d tokens, want at most %d; allow truncation, or longer "+
				"ones", e.Place, len(question), most)
		}
		question, truncated = question[:most], true
	}
	passage := t.AppendTokens(nil, e.Texts[1])
	room := q.options.maxLength() - len(question) - 3
	if room < 1 {
		return nil, fmt.Errorf("tasks: %s: a question of %d tokens leaves no room for a passage in %d; allow fewer tokens "+
			"of a question, or longer sequences", e.Place, len(question), q.options.maxLength())
	}
	windows := windowsOf(len(passage), room, q.docStride())
	first, last := -1, -1
	if len(e.Answers) > 0 {
		first, last = answerTokens(passage, e.Answers[0])
	}
	var features []*Feature
	for i, w := range windows {
		begin := len(question) + 2
		f := &Feature{Truncated: truncated, window: &window{begin: begin}}
		ids := []int32{}
		for j := w[0]; j < w[1]; j++ {
			ids = append(ids, passage[j].ID)
			f.window.spans = append(f.window.spans, [2]int{passage[j].Start, passage[j].End})
			f.window.best = append(f.window.best, bestWindow(windows, j) == i)
		}
		s := Sequence{}
		s.InputIDs, s.TokenTypeIDs = tokenizer.BuildInputs(t.Special(), question, ids)
		f.Sequences = []Sequence{s}
		if e.Labelled {
			f.Labels = []int32{0, 0}
			if first >= w[0] && last < w[1] {
				f.Labels = []int32{int32(begin + first - w[0]), int32(begin + last - w[0])}
			}
		}
		features = append(features, f)
	}
	return features, nil
}

// windowsOf cuts n tokens into windows [begin, end) of at most room tokens, stride apart.
func windowsOf(n, room, stride int) [][2]int {
	var windows [][2]int
	for begin := 0; ; begin += min(room, stride) {
		end := min(n, begin+room)
		windows = append(windows, [2]int{begin, end})
		if end == n {
			return windows
		}
	}
}

// bestWindow returns the first window that shows most around a token: the smaller of what stands left and right, and a
// hundredth of the window's length.
func bestWindow(windows [][2]int, token int) int {
	best, most := -1, 0.0
	for i, w := range windows {
		if token < w[0] || token >= w[1] {
			continue
		}
		score := float64(min(token-w[0], w[1]-1-token)) + 0.01*float64(w[1]-w[0])
		if best < 0 || score > most {
			best, most = i, score
		}
	}
	return best
}

// answerTokens returns the first and the last token that have a byte of an answer, −1 and −1 if none has.
func answerTokens(passage []tokenizer.Token, a Answer) (first, last int) {
	first, last = -1, -1
	for i, token := range passage {
		if token.End > a.Start && token.Start < a.Start+len(a.Text) && token.Start < token.End {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	return first, last
}

// scoreNames are those of Score.
func (q *questionAnswering) scoreNames() []string {
	if q.options.NoAnswer {
		return ofNoAnswers
	}
	return ofAnswers
}

// Score gives F1 and exact match in percent, of SQuAD v2.0 also those of questions with and without an answer.
func (q *questionAnswering) Score(_ context.Context, examples []*Example, predictions []*Prediction) (Scores, error) {
	for _, e := range examples {
		if !e.Labelled {
			return nil, notLabelled(e)
		}
	}
	scores := squadScores
	if q.options.NoAnswer {
		scores = squad2Scores
	}
	return scores(examples, predictions).first(q.kept().Metric)
}
