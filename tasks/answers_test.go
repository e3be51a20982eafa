package tasks

import (
	"fmt"
	"testing"

	"goalbert/internal/numeric"
)

// The answers, the n-best and the odds of none are those of transformers' decoding.
func TestGoldenAnswers(t *testing.T) {
	var golden struct {
		Decoded struct {
			Context   string
			Questions []string
			Logits    [][][2][]float32 // of each question and window, in 64ths, of starts and ends
			Cases     []struct {
				NoAnswer  bool `json:"no_answer"`
				NBest     int  `json:"n_best"`
				Longest   int
				Threshold float64
				Answers   []struct {
					Answer string
					Odds   float64
					NBest  []struct {
						Text               string
						Logit, Probability float64
					} `json:"n_best"`
				}
			}
		}
	}
	readGolden(t, "features.json", &golden)
	g := golden.Decoded
	passage := []rune(g.Context)
	none := 0
	for _, c := range g.Cases {
		name := fmt.Sprintf("%d best of at most %d tokens", c.NBest, c.Longest)
		task := newTask(t, "question-answering", Options{MaxLength: 64, DocStride: 30, MaxQueryLength: 20, NBest: c.NBest,
			MaxAnswerLength: c.Longest, NoAnswer: c.NoAnswer, NullThreshold: c.Threshold})
		for i, want := range c.Answers {
			e := &Example{Texts: []string{g.Questions[i], g.Context}}
			features, err := task.Features(e, goldenTokenizer(t))
			if err != nil {
				t.Fatal(err)
			}
			var outputs [][]float32
			for _, w := range g.Logits[i] {
				var logits []float32
				for k := range w[0] {
					logits = append(logits, w[0][k]/64, w[1][k]/64)
				}
				outputs = append(outputs, logits)
			}
			p, err := task.Predict(e, features, outputs)
			if err != nil {
				t.Fatal(err)
			}
			if *p.Answer != want.Answer || len(p.NBest) != len(want.NBest) || c.NoAnswer && *p.NullOdds != want.Odds {
				t.Errorf("%s, %q: answer %q, %d candidates, odds %v, want %q, %d, %v", name, g.Questions[i], *p.Answer,
					len(p.NBest), p.NullOdds, want.Answer, len(want.NBest), want.Odds)
				continue
			}
			if want.Answer == "" {
				none++
			}
			for j, w := range want.NBest {
				got := p.NBest[j]
				if got.Text != w.Text || got.Logit != w.Logit {
					t.Errorf("%s, %q: candidate %d is %+v, want %+v", name, g.Questions[i], j, got, w)
				}
				numeric.Check(t, name+" "+w.Text, []float64{got.Probability}, []float64{w.Probability}, numeric.SameSum64)
				if length := len([]rune(got.Text)); string(passage[got.Start:got.Start+length]) != got.Text {
					t.Errorf("%s, %q: %q does not stand at character %d", name, g.Questions[i], got.Text, got.Start)
				}
				if w.Text == want.Answer && (p.Probability == nil || *p.Probability != got.Probability) {
					t.Errorf("%s, %q: the answer's probability is %v, want %v", name, g.Questions[i], p.Probability, got.Probability)
				}
			}
		}
	}
	if none == 0 {
		t.Error("no question without an answer")
	}
}

// Of no answer that is more probable, but not by as much as the threshold, the answer that is chosen keeps its own
// probability.
func TestProbabilityOfTheAnswer(t *testing.T) {
	task := newTask(t, "squad2", Options{NullThreshold: 5})
	e, err := task.Example("who ?", "é film")
	if err != nil {
		t.Fatal(err)
	}
	features, err := task.Features(e, wordPieces(t))
	if err != nil {
		t.Fatal(err)
	}
	logits := make([]float32, 2*features[0].Tokens())
	logits[0], logits[1] = 4, 4
	last := features[0].Tokens() - 2
	logits[2*last], logits[2*last+1] = 2, 2
	p, err := task.Predict(e, features, [][]float32{logits})
	if err != nil {
		t.Fatal(err)
	}
	if p.NBest[0].Text != "" || *p.Answer != "film" || p.NBest[1].Text != "film" || p.NBest[1].Start != 2 ||
		*p.Probability != p.NBest[1].Probability || *p.NullOdds != 4 {
		t.Errorf("answer %q with %v, odds %v, candidates %+v", *p.Answer, *p.Probability, *p.NullOdds, p.NBest)
	}
}
