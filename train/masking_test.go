package train

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"goalbert/models"
)

// checkShares fails if counts would come from the shares less often than once in a million seeds. The test statistic
// is Pearson's, Σ (count - expected)² / expected, of a chi-squared distribution with one degree of freedom less than
// there are shares.
func checkShares(t *testing.T, what string, counts []int, shares []float64) {
	t.Helper()
	total := 0
	for _, c := range counts {
		total += c
	}
	statistic := 0.0
	for i, c := range counts {
		expected := float64(total) * shares[i]
		statistic += (float64(c) - expected) * (float64(c) - expected) / expected
	}
	p := distuv.ChiSquared{K: float64(len(counts) - 1)}.Survival(statistic)
	t.Logf("%s: %v of %d, want shares %.4f: p = %.3g", what, counts, total, shares, p)
	if p < 1e-6 {
		t.Errorf("%s: %v of %d do not come from shares %.4f (p = %.3g)", what, counts, total, shares, p)
	}
}

func TestNGramLengthsFallAsTheirReciprocal(t *testing.T) {
	r := random(1, 0)
	for longest, shares := range map[int][]float64{2: {2. / 3, 1. / 3}, 3: {6. / 11, 3. / 11, 2. / 11}} {
		counts := make([]int, longest)
		for range 200000 {
			counts[drawNGram(longest, r)-1]++
		}
		checkShares(t, "n-gram lengths", counts, shares)
	}
}

// oneSegment is [CLS] and words of a random number of pieces and [SEP].
func oneSegment(length int, seed uint64) *Sequence {
	r := random(seed, 0)
	tokens := make([]int32, length)
	for i := range tokens {
		tokens[i] = int32(5 + r.IntN(testVocabSize-5))
	}
	return layOut(testVocabulary(), 0, tokens[:length/2], tokens[length/2:])
}

// Of the tokens to predict 80 % are [MASK], 10 % unchanged and 10 % drawn from the whole vocabulary, which is itself
// by chance once in V.
func TestReplacementShares(t *testing.T) {
	v := testVocabulary()
	var masked, unchanged, other int
	drawn := make([]int, testVocabSize)
	for seed := range uint64(4000) {
		s := oneSegment(125, seed)
		DefaultMasking().mask(s, v, random(seed, 0))
		for i, position := range s.MaskedPositions {
			switch got := s.InputIDs[position]; got {
			case v.Special.MASK:
				masked++
			case s.MaskedLabels[i]:
				unchanged++
			default:
				other++
				drawn[got]++
			}
		}
	}
	const size = float64(testVocabSize)
	// a random draw is [MASK] once in V, and the token itself once in V
	checkShares(t, "masked, unchanged, random", []int{masked, unchanged, other},
		[]float64{0.8 + 0.1/size, 0.1 + 0.1/size, 0.1 * (1 - 2/size)})
	// Each token is drawn once in V, the special ones too; one of the others was there before in one of V - 5 cases.
	shares := make([]float64, testVocabSize)
	sum := 0.0
	for id := range shares {
		shares[id] = 1
		if id >= 5 {
			shares[id] = 1 - 1/(size-5)
		}
		if int32(id) == v.Special.MASK {
			shares[id] = 0
		}
		sum += shares[id]
	}
	for id := range shares {
		shares[id] /= sum
	}
	mask := int(v.Special.MASK)
	checkShares(t, "random tokens", slices.Delete(drawn, mask, mask+1), slices.Delete(shares, mask, mask+1))
}

// Words are masked wherever they stand, each alike.
func TestMaskedPositionsAreUniform(t *testing.T) {
	v := testVocabulary()
	for i := range v.StartsWord {
		v.StartsWord[i] = true
	}
	m := DefaultMasking()
	m.MaxNGram = 1
	const length = 40
	counts, shares := make([]int, length), make([]float64, length)
	for i := range shares {
		shares[i] = 1. / length
	}
	for seed := range uint64(20000) {
		s := oneSegment(length, seed)
		m.mask(s, v, random(seed, 1))
		for _, position := range s.MaskedPositions {
			word := int(position) - 1
			if int(position) >= s.segments[1][0] { // behind [SEP]
				word--
			}
			counts[word]++
		}
	}
	checkShares(t, "masked words", counts, shares)
}

// Exactly round(0.15 n) tokens are predicted wherever single-piece words can fill what is left.
func TestMaskedShare(t *testing.T) {
	v := testVocabulary()
	for i := range v.StartsWord {
		v.StartsWord[i] = true
	}
	for length := 8; length < 200; length++ {
		s := oneSegment(length-3, uint64(length))
		DefaultMasking().mask(s, v, random(uint64(length), 0))
		if want := int(math.RoundToEven(0.15 * float64(length))); len(s.MaskedPositions) != want {
			t.Errorf("%d of %d tokens are predicted, want %d", len(s.MaskedPositions), length, want)
		}
	}
	limited := DefaultMasking()
	limited.MaxPredictions = 3
	s := oneSegment(120, 1)
	limited.mask(s, v, random(1, 0))
	if len(s.MaskedPositions) != 3 {
		t.Errorf("%d tokens are predicted, want at most 3", len(s.MaskedPositions))
	}
}

// Masked tokens are whole words inside a segment, the labels are the tokens that stood there, all others are as they
// were, and the positions ascend.
func TestMaskingCoversWholeWords(t *testing.T) {
	v := testVocabulary()
	for seed := range uint64(300) {
		s := oneSegment(100, seed)
		before := slices.Clone(s.InputIDs)
		DefaultMasking().mask(s, v, random(seed, 0))
		label := map[int32]int32{}
		for i, position := range s.MaskedPositions {
			label[position] = s.MaskedLabels[i]
		}
		if len(label) != len(s.MaskedPositions) || !slices.IsSorted(s.MaskedPositions) {
			t.Fatalf("positions %v repeat or do not ascend", s.MaskedPositions)
		}
		for i, id := range before {
			wanted, hidden := label[int32(i)]
			if hidden && wanted != id || !hidden && s.InputIDs[i] != id {
				t.Fatalf("position %d held %d: label %d, now %d", i, id, wanted, s.InputIDs[i])
			}
			if hidden && (id == v.Special.CLS || id == v.Special.SEP) {
				t.Fatalf("position %d, %d, is predicted", i, id)
			}
			begins := v.StartsWord[id] || i == s.segments[0][0] || i == s.segments[1][0]
			_, previous := label[int32(i-1)]
			if !begins && hidden != previous {
				t.Fatalf("the word around position %d is predicted in part", i)
			}
		}
	}
}

// With the longest n-gram 1 no two words are hidden together more often than by chance; with 3, more often.
func TestNGramsHideNeighbours(t *testing.T) {
	v := testVocabulary()
	for i := range v.StartsWord {
		v.StartsWord[i] = true
	}
	neighbours := func(longest int) (share float64) {
		var pairs, all int
		for seed := range uint64(500) {
			s := oneSegment(125, seed)
			m := DefaultMasking()
			m.MaxNGram = longest
			m.mask(s, v, random(seed, 0))
			for i := 1; i < len(s.MaskedPositions); i++ {
				all++
				if s.MaskedPositions[i] == s.MaskedPositions[i-1]+1 {
					pairs++
				}
			}
		}
		return float64(pairs) / float64(all)
	}
	// One at a time: a gap of one has probability 0.15. N-grams of mean length 18/11 put (18/11 - 1)/(18/11) = 0.39 of
	// the tokens right behind another of their own n-gram, and chance adds some.
	if one, three := neighbours(1), neighbours(3); math.Abs(one-0.15) > 0.02 || three < 0.38 || three > 0.5 {
		t.Errorf("share of masked tokens behind another one is %.3f with n-grams of 1 and %.3f of up to 3, "+
			"want about 0.15 and 0.39 to 0.5", one, three)
	}
}

// A word that is longer than what may be predicted leaves nothing to predict, and the step's loss a number.
func TestNothingToPredict(t *testing.T) {
	v := testVocabulary()
	clear(v.StartsWord)
	s := layOut(v, models.IgnoreIndex, []int32{6, 6, 6, 6, 6, 6}, nil)
	DefaultMasking().mask(s, v, random(1, 0))
	d := denominators([]*Sequence{s})
	if len(s.MaskedPositions) != 0 || d.MaskedTokens != 1 {
		t.Errorf("%d positions, denominator %v, want 0 and 1", len(s.MaskedPositions), d.MaskedTokens)
	}
}
