package tasks

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
)

// The metric of SQuAD compares normalized answers: in lower case, without the punctuation of ASCII and the articles a,
// an and the, with single spaces. Exact match is equality; F1 is that of the words, each as often as it occurs. A
// question counts with the largest over its right answers.

// normalizeAnswer returns an answer as it is compared. Case and white space are Python's, whose str.lower and str.split
// the official scripts use.
func normalizeAnswer(text string) string {
	lower := cases.Lower(language.Und, cases.HandleFinalSigma(true)).String(text)
	bare := strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsPunct(r) || unicode.IsSymbol(r)) {
			return -1
		}
		return r
	}, lower)
	return strings.Join(strings.FieldsFunc(withoutArticles(bare), isPythonSpace), " ")
}

func isPythonSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// withoutArticles puts a space in the place of each word a, an or the.
func withoutArticles(text string) string {
	var b strings.Builder
	for text != "" {
		end := strings.IndexFunc(text, func(r rune) bool { return !isWordCharacter(r) })
		if end < 0 {
			end = len(text)
		}
		switch word := text[:end]; word {
		case "a", "an", "the":
			b.WriteByte(' ')
		default:
			b.WriteString(word)
		}
		rest := strings.IndexFunc(text[end:], isWordCharacter)
		if rest < 0 {
			rest = len(text) - end
		}
		b.WriteString(text[end : end+rest])
		text = text[end+rest:]
	}
	return b.String()
}

func isWordCharacter(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) || r == '_' }

// exactMatch is 1 if two answers are the same, or else 0.
func exactMatch(predicted, answer string) float64 {
	if normalizeAnswer(predicted) == normalizeAnswer(answer) {
		return 1
	}
	return 0
}

// answerF1 is F1 of the words of an answer. Where one has none it is 0, or with emptyIsRight, v2.0's rule, 1 if both
// have none.
func answerF1(predicted, answer string, emptyIsRight bool) float64 {
	got, want := strings.Fields(normalizeAnswer(predicted)), strings.Fields(normalizeAnswer(answer))
	if emptyIsRight && len(got) == 0 && len(want) == 0 {
		return 1
	}
	counts := map[string]int{}
	for _, word := range want {
		counts[word]++
	}
	same := 0
	for _, word := range got {
		if counts[word] > 0 {
			counts[word]--
			same++
		}
	}
	return ratio(2*same, len(got)+len(want))
}

// squadScores is the metric of evaluate-v1.1.py, in percent.
func squadScores(examples []*Example, predictions []*Prediction) Scores {
	exact, f1 := 0.0, 0.0
	for i, e := range examples {
		bestExact, bestF1 := 0.0, 0.0
		for _, a := range e.Answers {
			bestExact = max(bestExact, exactMatch(*predictions[i].Answer, a.Text))
			bestF1 = max(bestF1, answerF1(*predictions[i].Answer, a.Text, false))
		}
		exact, f1 = exact+bestExact, f1+bestF1
	}
	n := float64(len(examples))
	return namedScores(ofAnswers, 100*f1/n, 100*exact/n)
}

// squad2Question is how well a question of SQuAD v2.0 is answered.
type squad2Question struct {
	hasAnswer bool
	answered  bool
	exact, f1 float64
	nullOdds  float64
}

// score2 compares an answer with the right ones by evaluate-v2.0.py.
func score2(e *Example, predicted string) squad2Question {
	s := squad2Question{hasAnswer: len(e.Answers) > 0, answered: predicted != ""}
	answers := []string{}
	for _, a := range e.Answers {
		if normalizeAnswer(a.Text) != "" {
			answers = append(answers, a.Text)
		}
	}
	if len(answers) == 0 {
		answers = []string{""} // the right answer is none
	}
	for _, a := range answers {
		s.exact = max(s.exact, exactMatch(predicted, a))
		s.f1 = max(s.f1, answerF1(predicted, a, true))
	}
	return s
}

// squad2Scores is the metric of evaluate-v2.0.py, in percent: over all questions, those with an answer and those
// without; and the best that another threshold of the null odds would give, with that threshold.
func squad2Scores(examples []*Example, predictions []*Prediction) Scores {
	var scored, spans []squad2Question
	for i, e := range examples {
		scored = append(scored, score2(e, *predictions[i].Answer))
		span := "" // the answer if there had to be one
		for _, c := range predictions[i].NBest {
			if c.Text != "" {
				span = c.Text
				break
			}
		}
		s := score2(e, span)
		s.nullOdds = *predictions[i].NullOdds
		spans = append(spans, s)
	}
	exact, f1 := meanOf(scored, nil)
	scores := Scores{{"f1", f1}, {"exact", exact}}
	for _, part := range []struct {
		name string
		has  bool
	}{{"HasAns", true}, {"NoAns", false}} {
		ofPart := func(s squad2Question) bool { return s.hasAnswer == part.has }
		if slices.ContainsFunc(scored, ofPart) {
			exact, f1 := meanOf(scored, ofPart)
			scores = append(scores, Score{part.name + "_f1", f1}, Score{part.name + "_exact", exact})
		}
	}
	bestExact, exactThreshold := bestThreshold(spans, func(s squad2Question) float64 { return s.exact })
	bestF1, f1Threshold := bestThreshold(spans, func(s squad2Question) float64 { return s.f1 })
	return append(scores, Score{"best_f1", bestF1}, Score{"best_f1_thresh", f1Threshold},
		Score{"best_exact", bestExact}, Score{"best_exact_thresh", exactThreshold})
}

func meanOf(scored []squad2Question, part func(squad2Question) bool) (exact, f1 float64) {
	n := 0.0
	for _, s := range scored {
		if part == nil || part(s) {
			exact, f1, n = exact+s.exact, f1+s.f1, n+1
		}
	}
	return 100 * exact / n, 100 * f1 / n
}

// bestThreshold returns the best mean that is had by taking answers of null odds up to a threshold, and no answer above
// it, and that threshold. It begins with no answer at all, and takes one after the other by rising odds: what a
// question with an answer adds is its score, and one without loses its point if it is answered.
func bestThreshold(scored []squad2Question, score func(squad2Question) float64) (best, threshold float64) {
	current := 0.0
	for _, s := range scored {
		if !s.hasAnswer {
			current++
		}
	}
	best = current
	for _, s := range slices.SortedStableFunc(slices.Values(scored), func(a, b squad2Question) int {
		return cmp.Compare(a.nullOdds, b.nullOdds)
	}) {
		if s.hasAnswer {
			current += score(s)
		} else if s.answered {
			current--
		}
		if current > best {
			best, threshold = current, s.nullOdds
		}
	}
	return 100 * best / float64(len(scored)), threshold
}
