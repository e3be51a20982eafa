package native

import (
	"math"
	"slices"
	"testing"

	"goalbert/models"
)

// dropped returns where a site of a layer drops from ones (T, columns).
func dropped(b *models.Batch, seed uint64, rate float64, s site, layer, columns int) []float64 {
	x := make([]float64, b.Tokens()*columns)
	for i := range x {
		x[i] = 1
	}
	drop := newDropper[float64](Dropout{Enabled: true, Seed: seed}, b, rate, s, layer)
	for from := 0; from < b.Tokens(); from += 3 {
		drop.tokens(x, x, span{from, min(from+3, b.Tokens())}, columns)
	}
	return x
}

// What is kept is scaled by 1/(1-rate), and the share that is dropped is the rate: of n = 16,000 values its standard
// error is at most 0.004, and four of those pass.
func TestDropoutRate(t *testing.T) {
	b := testBatch(testConfig())
	for _, rate := range []float64{0.1, 0.5} {
		x := dropped(b, 1, rate, siteFFNOutput, 0, 1000)
		zeros := 0
		for _, v := range x {
			if v == 0 {
				zeros++
			} else if v != 1/(1-rate) {
				t.Fatalf("kept value is %v, want %v", v, 1/(1-rate))
			}
		}
		if share := float64(zeros) / float64(len(x)); math.Abs(share-rate) > 0.016 {
			t.Errorf("dropped %v, want %v", share, rate)
		}
	}
}

// The masks differ by everything that they are a function of, and by nothing else.
func TestDropoutIsAFunctionOfItsPlace(t *testing.T) {
	b := testBatch(testConfig())
	base := dropped(b, 1, 0.5, siteFFNOutput, 0, 64)
	nextStep := *b
	nextStep.Step++
	for what, other := range map[string][]float64{
		"use of the layer": dropped(b, 1, 0.5, siteFFNOutput, 1, 64),
		"site":             dropped(b, 1, 0.5, siteAttentionOutput, 0, 64),
		"seed":             dropped(b, 2, 0.5, siteFFNOutput, 0, 64),
		"step":             dropped(&nextStep, 1, 0.5, siteFFNOutput, 0, 64),
	} {
		same := 0
		for i := range base {
			if base[i] == other[i] {
				same++
			}
		}
		// Two independent masks of rate ½ agree on half of 1,024 values, give or take 16; five times that passes.
		if same < 512-80 || same > 512+80 {
			t.Errorf("another %s: %d of %d values are the same, want about half", what, same, len(base))
		}
	}
	if !slices.Equal(base, dropped(b, 1, 0.5, siteFFNOutput, 0, 64)) {
		t.Error("the same place gave another mask")
	}
	for i, part := range split(b) {
		lo, hi := b.Offsets[i]*64, b.Offsets[i+1]*64
		if !slices.Equal(dropped(part, 1, 0.5, siteFFNOutput, 0, 64), base[lo:hi]) {
			t.Errorf("sequence %d has another mask in a batch of its own", i)
		}
	}
}

// Evaluation does not drop.
func TestEvaluateDoesNotDrop(t *testing.T) {
	c := testConfig()
	b := testBatch(c)
	e := newEngine(t, testWeights(c), Options{Threads: 1, Seed: 1})
	got, err := e.Evaluate(b)
	if err != nil {
		t.Fatal(err)
	}
	c.HiddenDropoutProb, c.AttentionProbsDropoutProb, c.ClassifierDropoutProb = 0, 0, 0
	w := models.NewWeights(c)
	copy(w.Data, e.Weights().Data)
	want, err := newEngine(t, w, Options{Threads: 1}).Accumulate(b, testDenominators)
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Errorf("got %+v, want the losses of a model without dropout, %+v", got, want)
	}
	if trained, _ := e.Accumulate(b, testDenominators); trained == want {
		t.Error("training does not drop")
	}
}
