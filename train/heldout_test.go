package train

import (
	"math"
	"strings"
	"testing"

	"goalbert/models"
)

// Training and held-out documents are a partition, by the seed, and no held-out sentence occurs in training.
func TestSplit(t *testing.T) {
	d := testDocuments(100)
	for i := 1; i < 100; i++ {
		d[i][0] = d[0][0] // a sentence that all documents share
	}
	training, held, dropped, err := split(d, 0.2, 5)
	if err != nil {
		t.Fatal(err)
	}
	in := map[int32]string{}
	for _, i := range training.documents {
		in[i] += "training"
	}
	full := 0
	for _, i := range held.documents {
		in[i] += "held out"
		full += len(d[i])
	}
	if training.Len() != 80 || len(in) != training.Len()+held.Len() {
		t.Errorf("%d documents for training and %d held out, %d different, want 80 and about 20 without overlap",
			training.Len(), held.Len(), len(in))
	}
	seen := sentenceHashes(training)
	for i := range held.Len() {
		for j := range held.Sentences(i) {
			if _, ok := seen[sentenceHash(held.Sentence(i, j))]; ok {
				t.Errorf("held-out document %d: sentence %d occurs in training", i, j)
			}
		}
	}
	if dropped < 20 {
		t.Errorf("%d sentences dropped, want the one that each of 20 documents shares", dropped)
	}
	again, _, _, _ := split(d, 0.2, 5)
	other, _, _, _ := split(d, 0.2, 6)
	same := func(a, b *excerpt) bool {
		for i := range a.documents {
			if a.documents[i] != b.documents[i] {
				return false
			}
		}
		return true
	}
	if !same(training, again) || same(training, other) {
		t.Error("the split is not a function of the seed")
	}
}

func TestSplitNeedsTwoDocuments(t *testing.T) {
	if _, _, _, err := split(testDocuments(1), 0.01, 1); err == nil || !strings.Contains(err.Error(), "blank lines") {
		t.Errorf("error %v does not say what to do", err)
	}
	if training, held, _, err := split(testDocuments(1), 0, 1); err != nil || training.Len() != 1 || held.Len() != 0 {
		t.Errorf("nothing held out: %v", err)
	}
}

// Worked by hand: tokens 5 5 5 6 with V = 50 give p(5) = 4/54, p(6) = 2/54 and p(7) = 1/54.
func TestUnigram(t *testing.T) {
	u := newUnigram(memory{{{5, 5}}, {{5}, {6}}}, 50)
	got := u.crossEntropy([]*models.Batch{{MaskedLabels: []int32{5, 6}}, {MaskedLabels: []int32{7}}})
	if want := -(math.Log(4./54) + math.Log(2./54) + math.Log(1./54)) / 3; math.Abs(got-want) > 1e-12 {
		t.Errorf("cross-entropy %v, want %v", got, want)
	}
	var sum float64
	for id := range int32(50) {
		sum += math.Exp(-u.crossEntropy([]*models.Batch{{MaskedLabels: []int32{id}}}))
	}
	if math.Abs(sum-1) > 1e-12 {
		t.Errorf("probabilities sum to %v", sum)
	}
}

// The held-out instances are the same ones whenever they are made, and the commoner label is counted.
func TestHeldOutSetIsFixed(t *testing.T) {
	s := testSource()
	u := newUnigram(s.documents, testVocabSize)
	a, b := newHeldOutSet(s, 10, 4, u), newHeldOutSet(s, 10, 4, u)
	if a.sequences != 10 || len(a.batches) != 3 || a.unigramLoss != b.unigramLoss || a.majority < 0.5 || a.majority > 1 {
		t.Errorf("%+v, want 10 sequences in 3 batches", a)
	}
	ones := 0
	for _, batch := range a.batches {
		for _, label := range batch.SentenceLabels {
			ones += int(label)
		}
	}
	if want := float64(max(ones, 10-ones)) / 10; a.majority != want {
		t.Errorf("commoner label %v, want %v", a.majority, want)
	}
}
