package tasks

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// The answer is the best of all spans of all windows, tried one by one.
func TestAnswerIsTheBestSpan(t *testing.T) {
	tok := wordPieces(t)
	const n = 60
	random := rand.New(rand.NewPCG(1, 2))
	words := strings.Fields(strings.Repeat("good film , the playing was in Oslo . ", 5))
	passage := strings.Join(words, " ")
	for trial := range n {
		longest := 1 + trial%7
		task := newTask(t, "squad2", Options{MaxLength: 16, DocStride: 5, MaxAnswerLength: longest, NBest: 16,
			NullThreshold: -float64(trial % 10)})
		e := &Example{Texts: []string{"who ?", passage}}
		features, err := task.Features(e, tok)
		if err != nil {
			t.Fatal(err)
		}
		if len(features) < 5 {
			t.Fatalf("%d windows", len(features))
		}
		var outputs [][]float32
		null, best, answer := math.Inf(1), math.Inf(-1), ""
		for _, f := range features {
			tokens := len(f.Sequences[0].InputIDs)
			logits := make([]float32, 2*tokens)
			for i := range logits {
				logits[i] = float32(random.NormFloat64())
			}
			outputs = append(outputs, logits)
			null = min(null, float64(logits[0])+float64(logits[1]))
			for start := range f.window.spans {
				for end := start; end < min(start+longest, len(f.window.spans)); end++ {
					i, j := f.window.begin+start, f.window.begin+end
					if sum := float64(logits[2*i]) + float64(logits[2*j+1]); sum > best && f.window.best[start] {
						best, answer = sum, passage[f.window.spans[start][0]:f.window.spans[end][1]]
					}
				}
			}
		}
		p, err := task.Predict(e, features, outputs)
		if err != nil {
			t.Fatal(err)
		}
		span := p.NBest[0]
		if span.Text == "" {
			span = p.NBest[1]
		}
		if span.Text != answer || span.Logit != best || passage[span.Start:span.Start+len(span.Text)] != answer {
			t.Errorf("trial %d: %+v, want %q with %v", trial, span, answer, best)
		}
		if null-best > -float64(trial%10) {
			answer = ""
		}
		if *p.Answer != answer || *p.NullOdds != null-best {
			t.Errorf("trial %d: answer %q, odds %v, want %q, %v", trial, *p.Answer, *p.NullOdds, answer, null-best)
		}
		sum, last := 0.0, math.Inf(1)
		for _, c := range p.NBest {
			if c.Logit > last {
				t.Errorf("trial %d: candidates are not sorted", trial)
			}
			sum, last = sum+c.Probability, c.Logit
		}
		if math.Abs(sum-1) > 1e-12 {
			t.Errorf("trial %d: probabilities sum to %v", trial, sum)
		}
	}
}

// Without the possibility of none there is always an answer, however probable [CLS] is.
func TestAnswerIsGiven(t *testing.T) {
	task := newTask(t, "squad", Options{})
	e, err := task.Example("who ?", "the film")
	if err != nil {
		t.Fatal(err)
	}
	features, err := task.Features(e, wordPieces(t))
	if err != nil {
		t.Fatal(err)
	}
	p, err := task.Predict(e, features, [][]float32{{9, 9, 0, 0, 0, 0, 0, 0, 1, 0, 0, 2, 8, 8}})
	if err != nil || *p.Answer != "the film" || p.NullOdds != nil {
		t.Errorf("%+v, error %v", p, err)
	}
}

// The definition of v1.1: an answer of nothing but articles and punctuation is equal to another, and has an F1 of 0. In
// v2.0 it has 1.
func TestAnswerOfNothing(t *testing.T) {
	if exactMatch("The.", "a!") != 1 || answerF1("The.", "a!", false) != 0 || answerF1("The.", "a!", true) != 1 {
		t.Error("bare answers")
	}
	if answerF1("The.", "film", true) != 0 || exactMatch("The Film", "film.") != 1 {
		t.Error("an answer and none")
	}
}

// A question that is too long is shortened, or refused; so is one that leaves no room for the passage.
func TestLongQuestion(t *testing.T) {
	e := &Example{Place: "here", Texts: []string{strings.Repeat("who ", 9), "the film"}}
	for _, c := range []struct {
		options Options
		want    string
	}{
		{Options{MaxQueryLength: 4}, ""},
		{Options{MaxQueryLength: 4, NoTruncate: true}, "here: the question has 9 tokens, want at most 4"},
		{Options{MaxLength: 12}, "here: a question of 9 tokens leaves no room for a passage in 12"},
	} {
		features, err := newTask(t, "squad", c.options).Features(e, wordPieces(t))
		if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v, want %s", err, c.want)
		}
		if c.want == "" && (err != nil || !features[0].Truncated || features[0].Tokens() != 4+2+3) {
			t.Errorf("%+v, error %v", features, err)
		}
	}
}
