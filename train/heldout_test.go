package train

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"goalbert/models"
)

// numbersOf returns which documents of the corpus a part has, ascending.
func numbersOf(p *part) (numbers []int) {
	first := 0
	for block, documents := range p.documents {
		for _, d := range documents {
			numbers = append(numbers, first+int(d))
		}
		first += p.blocks.Documents(block)
	}
	return numbers
}

// hashesOf returns those of all sentences of a part.
func hashesOf(t *testing.T, p *part) map[uint64]bool {
	t.Helper()
	hashes := map[uint64]bool{}
	if err := p.eachSentence(func(s []int32) { hashes[sentenceHash(s)] = true }); err != nil {
		t.Fatal(err)
	}
	return hashes
}

// Training and held-out documents are a partition, by the seed, however the corpus is divided into blocks, and no
// held-out sentence occurs in training.
func TestSplit(t *testing.T) {
	d := testDocuments(100)
	for i := 1; i < 100; i++ {
		d[i][0] = d[0][0] // a sentence that all documents share
	}
	halves := func(blockTokens int, seed uint64) *division {
		parts, err := split(d.blocks(blockTokens), 0.2, seed, testVocabSize)
		if err != nil {
			t.Fatal(err)
		}
		return parts
	}
	parts := halves(1<<20, 5)
	in := map[int]string{}
	for _, i := range numbersOf(parts.training) {
		in[i] += "training"
	}
	for _, i := range numbersOf(parts.heldOut) {
		in[i] += "held out"
	}
	if parts.training.Len() != 80 || len(in) != parts.training.Len()+parts.heldOut.Len() || parts.heldOut.Len() < 10 {
		t.Errorf("%d documents for training and %d held out, %d different, want 80 and about 20 without overlap",
			parts.training.Len(), parts.heldOut.Len(), len(in))
	}
	seen := hashesOf(t, parts.training)
	for h := range hashesOf(t, parts.heldOut) {
		if seen[h] {
			t.Errorf("a held-out sentence with the hash %x occurs in training", h)
		}
	}
	if parts.dropped < 20 {
		t.Errorf("%d sentences dropped, want the one that each of 20 documents shares", parts.dropped)
	}
	if again := halves(100, 5); !slices.Equal(numbersOf(again.training), numbersOf(parts.training)) || again.dropped != parts.dropped ||
		!reflect.DeepEqual(again.unigram, parts.unigram) {
		t.Error("the split depends on the blocks")
	}
	if other := halves(1<<20, 6); slices.Equal(numbersOf(other.training), numbersOf(parts.training)) {
		t.Error("the split does not depend on the seed")
	}
}

// Every document is held out as often as any other.
func TestHeldOutDocumentsAreUniform(t *testing.T) {
	b := numbered(10, 1, 3).blocks(10)
	counts := make([]int, 10)
	for seed := range uint64(5000) {
		parts, err := split(b, 0.1, seed, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range numbersOf(parts.heldOut) {
			counts[i]++
		}
	}
	checkShares(t, "held-out documents", counts, slices.Repeat([]float64{0.1}, 10))
}

func TestSplitNeedsTwoDocuments(t *testing.T) {
	one := testDocuments(1).blocks(1)
	if _, err := split(one, 0.01, 1, testVocabSize); err == nil || !strings.Contains(err.Error(), "blank lines") {
		t.Errorf("error %v does not say what to do", err)
	}
	if parts, err := split(one, 0, 1, testVocabSize); err != nil || parts.training.Len() != 1 || parts.heldOut.Len() != 0 {
		t.Errorf("nothing held out: %v", err)
	}
}

// Worked by hand: tokens 5 5 5 6 with V = 50 give p(5) = 4/54, p(6) = 2/54 and p(7) = 1/54.
func TestUnigram(t *testing.T) {
	u := newUnigram(50)
	for _, sentence := range [][]int32{{5, 5}, {5}, {6}} {
		u.add(sentence)
	}
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
	u := newUnigram(testVocabSize)
	o := &Options{HeldOutSequences: 10, MicroBatchSequences: 4}
	a, err := newHeldOutSet(s, o, u)
	if err != nil {
		t.Fatal(err)
	}
	b, err := newHeldOutSet(s, o, u)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(a, b) || a.sequences != 10 || len(a.batches) != 3 || a.unigramLoss != b.unigramLoss || a.majority < 0.5 || a.majority > 1 {
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
