package tasks

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// Candidate is a possible answer to a question; an empty text is that there is none.
type Candidate struct {
	Text        string  `json:"text"`
	Start       int     `json:"start"`       // characters of the passage before it
	Logit       float64 `json:"logit"`       // of its start and its end together
	Probability float64 `json:"probability"` // among the candidates
}

// Predict returns the span with the largest sum of the logits of its first and its last token, over all windows. The
// NBest largest of each are tried; a span has at most MaxAnswerLength tokens, and begins in the window that shows most
// around it. Where a question may have no answer, that there is none has the sum of [CLS] in the window where it is
// smallest, and wins if it exceeds the best span by more than NullThreshold. It is one of the n-best, always.
func (q *questionAnswering) Predict(e *Example, features []*Feature, outputs [][]float32) (*Prediction, error) {
	var candidates []Candidate
	null := math.Inf(1)
	for i, f := range features {
		n := len(f.Sequences[0].InputIDs)
		if len(outputs[i]) != 2*n {
			return nil, fmt.Errorf("tasks: %s: %d logits for %d tokens, want two each", e.Place, len(outputs[i]), n)
		}
		null = min(null, float64(outputs[i][0])+float64(outputs[i][1]))
		candidates = append(candidates, q.spans(e.Texts[1], f.window, outputs[i])...)
	}
	slices.SortStableFunc(candidates, byLogit)
	p := &Prediction{NBest: q.distinct(candidates)}
	var chosen Candidate
	if len(p.NBest) > 0 {
		chosen = p.NBest[0]
	}
	if q.options.NoAnswer {
		odds := null - chosen.Logit
		p.NullOdds = &odds
		none := Candidate{Logit: null}
		p.NBest = append(p.NBest, none)
		slices.SortStableFunc(p.NBest, byLogit)
		if last := len(p.NBest) - 1; last == q.nBest() && p.NBest[last].Text != "" {
			p.NBest = p.NBest[:last]
		}
		if odds > q.options.NullThreshold {
			chosen = none
		}
	}
	sum := 0.0
	for _, c := range p.NBest {
		sum += math.Exp(c.Logit - p.NBest[0].Logit)
	}
	for i := range p.NBest {
		c := &p.NBest[i]
		c.Probability = math.Exp(c.Logit-p.NBest[0].Logit) / sum
		c.Start = utf8.RuneCountInString(e.Texts[1][:c.Start])
		if c.Text == chosen.Text {
			p.Probability = &c.Probability
		}
	}
	p.Answer = &chosen.Text
	return p, nil
}

func byLogit(a, b Candidate) int { return cmp.Compare(b.Logit, a.Logit) }

func (q *questionAnswering) nBest() int { return cmp.Or(q.options.NBest, 20) }

func (q *questionAnswering) maxAnswer() int { return cmp.Or(q.options.MaxAnswerLength, 30) }

// spans returns the possible answers of a window.
func (q *questionAnswering) spans(passage string, w *window, logits []float32) []Candidate {
	var candidates []Candidate
	longest := q.maxAnswer()
	starts, ends := largest(logits, q.nBest()), largest(logits[1:], q.nBest())
	for _, start := range starts {
		for _, end := range ends {
			first, last := start-w.begin, end-w.begin
			if first < 0 || last >= len(w.spans) || last < first || last-first+1 > longest || !w.best[first] {
				continue
			}
			from, to := w.spans[first][0], w.spans[last][1]
			text := strings.TrimSpace(passage[from:to])
			candidates = append(candidates, Candidate{Text: text, Start: from + strings.Index(passage[from:to], text),
				Logit: float64(logits[2*start]) + float64(logits[2*end+1])})
		}
	}
	return candidates
}

// largest returns the tokens of the n largest of every second logit, largest first; of equal ones the first token comes
// first.
func largest(logits []float32, n int) []int {
	tokens := make([]int, (len(logits)+1)/2)
	for i := range tokens {
		tokens[i] = i
	}
	slices.SortStableFunc(tokens, func(a, b int) int { return cmp.Compare(logits[2*b], logits[2*a]) })
	return tokens[:min(n, len(tokens))]
}

// distinct returns the best candidates of different texts, at most n-best of them.
func (q *questionAnswering) distinct(candidates []Candidate) []Candidate {
	seen := map[string]bool{}
	var kept []Candidate
	for _, c := range candidates {
		if c.Text != "" && !seen[c.Text] && len(kept) < q.nBest() {
			seen[c.Text] = true
			kept = append(kept, c)
		}
	}
	return kept
}
