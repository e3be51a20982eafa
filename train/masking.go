package train

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Masking says how many tokens of a sequence the masked-LM objective hides, and how. The zero value is not useful.
type Masking struct {
	Probability    float64 `json:"mask-probability"` // share of a sequence's tokens to predict
	MaxNGram       int     `json:"max-ngram"`        // longest run of whole words hidden together
	MaxPredictions int     `json:"max-predictions"`  // most tokens to predict in one sequence; 0 is no limit
}

// DefaultMasking is ALBERT's: 15 % of the tokens, in n-grams of up to three words.
func DefaultMasking() Masking { return Masking{Probability: 0.15, MaxNGram: 3} }

// Of the tokens to predict, each by itself: 80 % become [MASK], 10 % stay, 10 % become any token of the vocabulary.
const (
	maskShare = 0.8
	keepShare = 0.1
)

// word is the tokens [begin, end) of a sequence, in a segment whose words end at index last of the list of words.
type word struct{ begin, end, segmentEnd int }

// mask chooses tokens of s to predict, records them and hides them, as create_masked_lm_predictions of
// google-research/albert does: at each word in random order an n-gram begins, n drawn with p(n) ∝ 1/n among the
// lengths that fit in its segment, shortened until it fits in what is left to predict, dropped if it meets another.
func (m Masking) mask(s *Sequence, v *Vocabulary, r *rand.Rand) {
	words := m.words(s, v)
	left := m.predictions(len(s.InputIDs))
	covered := make([]bool, len(s.InputIDs))
	for _, i := range r.Perm(len(words)) {
		if left == 0 {
			break
		}
		n := drawNGram(min(m.MaxNGram, words[i].segmentEnd-i), r)
		for n > 0 && words[i+n-1].end-words[i].begin > left {
			n--
		}
		if n == 0 {
			continue
		}
		begin, end := words[i].begin, words[i+n-1].end
		if slices.Contains(covered[begin:end], true) {
			continue
		}
		for t := begin; t < end; t++ {
			covered[t] = true
		}
		left -= end - begin
	}
	for t, hidden := range covered {
		if hidden {
			s.MaskedPositions = append(s.MaskedPositions, int32(t))
			s.MaskedLabels = append(s.MaskedLabels, s.InputIDs[t])
			s.InputIDs[t] = replacement(s.InputIDs[t], v, r)
		}
	}
}

// predictions returns how many tokens of a sequence of that length are to be predicted.
func (m Masking) predictions(length int) int {
	n := max(1, int(math.RoundToEven(float64(length)*m.Probability)))
	if m.MaxPredictions > 0 {
		n = min(n, m.MaxPredictions)
	}
	return n
}

// words divides the segments of s into whole words; [CLS] and [SEP] are in none.
func (m Masking) words(s *Sequence, v *Vocabulary) []word {
	words := make([]word, 0, len(s.InputIDs))
	for _, segment := range s.segments {
		first := len(words)
		for t := segment[0]; t < segment[1]; t++ {
			if t == segment[0] || v.StartsWord[s.InputIDs[t]] {
				words = append(words, word{begin: t, end: t + 1})
			} else {
				words[len(words)-1].end = t + 1
			}
		}
		for i := first; i < len(words); i++ {
			words[i].segmentEnd = len(words)
		}
	}
	return words
}

// drawNGram returns n in 1 to longest with p(n) = (1/n) / Σ 1/k.
func drawNGram(longest int, r *rand.Rand) int {
	var sum float64
	for n := 1; n <= longest; n++ {
		sum += 1 / float64(n)
	}
	u := r.Float64() * sum
	for n := 1; n < longest; n++ {
		if u -= 1 / float64(n); u < 0 {
			return n
		}
	}
	return longest
}

func replacement(id int32, v *Vocabulary, r *rand.Rand) int32 {
	switch u := r.Float64(); {
	case u < maskShare:
		return v.Special.MASK
	case u < maskShare+keepShare:
		return id
	}
	return int32(r.IntN(v.Size()))
}
