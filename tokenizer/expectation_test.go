package tokenizer

import (
	"context"
	"fmt"
	"math"
	"strings"
	"testing"
)

// Each maximization makes the text at least as probable, digamma's discount of rare pieces aside: with the pieces' own
// relative counts as probabilities it is the EM algorithm, whose likelihood never falls (Dempster et al., 1977).
func TestExpectationMaximization(t *testing.T) {
	o := DefaultTrainOptions(300)
	if err := o.complete(); err != nil {
		t.Fatal(err)
	}
	spec, err := trainNormalization()
	if err != nil {
		t.Fatal(err)
	}
	n, err := newNormalizer(spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	w, err := collect(context.Background(), sentencesOf(trainingText(500)), &o, n)
	if err != nil {
		t.Fatal(err)
	}
	tr := newTrainer(w, &o)
	before := math.Inf(-1)
	for range 10 {
		counts, likelihood := expectation(tr.words, tr.scores, 2)
		if likelihood < before-1e-6 {
			t.Fatalf("the likelihood fell from %v to %v", before, likelihood)
		}
		before = likelihood
		sum := 0.0
		for _, c := range counts {
			sum += c
		}
		for i, c := range counts {
			tr.scores[i] = math.Log(c / sum)
		}
	}
}

// Expected counts and the probability of a text against all ways to cut it, one by one.
func TestExpectationByEnumeration(t *testing.T) {
	pieces := []string{"a", "b", "ab", "ba", "aba"}
	probabilities := []float64{0.1, 0.2, 0.3, 0.25, 0.15}
	ids, scores := map[string]int32{}, make([]float64, len(pieces))
	for i, p := range pieces {
		ids[p], scores[i] = int32(i), math.Log(probabilities[i])
	}
	want, total := make([]float64, len(pieces)), 0.0
	var cut func(rest string, used []int, p float64)
	cut = func(rest string, used []int, p float64) {
		if rest == "" {
			total += p
			for _, i := range used {
				want[i] += p
			}
		}
		for i, piece := range pieces {
			if after, ok := strings.CutPrefix(rest, piece); ok {
				cut(after, append(used[:len(used):len(used)], i), p*probabilities[i])
			}
		}
	}
	cut("ababba", nil, 1)
	l := []lattice{newLattice(word{text: []rune("ababba"), count: 3}, ids)}
	counts, likelihood := expectation(l, scores, 1)
	if math.Abs(likelihood-3*math.Log(total)) > 1e-12 {
		t.Errorf("log likelihood is %v, want %v", likelihood, 3*math.Log(total))
	}
	for i := range pieces {
		if math.Abs(counts[i]-3*want[i]/total) > 1e-12 {
			t.Errorf("%s: expected %v times, want %v", pieces[i], counts[i], 3*want[i]/total)
		}
	}
}

// The intervals of the sorted suffixes against every substring counted one by one.
func TestSeedsByEnumeration(t *testing.T) {
	list := []word{{[]rune("▁abcab"), 2}, {[]rune("cabx"), 3}, {[]rune("▁abd"), 1}}
	got := map[string]int{}
	newSuffixes(list).intervals(func(prefix []rune, count int) { got[string(prefix)] += count })
	want := map[string]int{}
	next := map[string]map[string]bool{} // what follows each: a character, or the end of its word
	for i, w := range list {
		for lo := range w.text {
			for hi := lo + 2; hi <= len(w.text); hi++ {
				s := string(w.text[lo:hi])
				want[s] += w.count
				if next[s] == nil {
					next[s] = map[string]bool{}
				}
				if hi < len(w.text) {
					next[s][string(w.text[hi])] = true
				} else {
					next[s][fmt.Sprint("end of ", i, lo)] = true
				}
			}
		}
	}
	for s := range want {
		if len(next[s]) < 2 {
			delete(want, s)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
