package parity_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"goalbert/models"
	"goalbert/parity"
	"goalbert/runtime"
	"goalbert/runtime/native"
)

// An engine that is native agrees wholly; one whose predictions are others', or no numbers, does not, whatever the head.
func TestAgreement(t *testing.T) {
	eachHead(t, func(t *testing.T, g *goldenHead, outputs []string) {
		c := g.weights.Config
		reference := native.New(g.weights, 1)
		batches := parity.Batches(sequences(c, 3, 5, 8, 11, 13), c.PadTokenID)
		for i, b := range batches {
			batches[i] = b.ForArchitecture(c.Architecture)
		}
		for what, wrong := range map[string]func(values []float32){
			"":      func([]float32) {},
			"signs": func(v []float32) { scale(v, -1) },
			"NaN":   func(v []float32) { scale(v, float32(math.NaN())) },
		} {
			session := wrongSession{reference, func(out map[string]runtime.Tensor) {
				for _, tensor := range out {
					wrong(tensor.Data.([]float32))
				}
			}}
			findings, err := parity.Agreement(context.Background(), reference, session, batches, c, parity.LeastAgreement)
			if err != nil || len(findings) != len(outputs) {
				t.Fatalf("%d findings, error %v", len(findings), err)
			}
			for _, f := range findings {
				if f.Elements == 0 || f.OK != (what == "") || f.OK && *f.Agreement < 1-1e-6 || !f.OK && f.Share <= 1 {
					t.Errorf("%q: %s: agreement %v: %+v", what, f.Tensor, *f.Agreement, f)
				}
			}
		}
	})
}

func scale(values []float32, by float32) {
	for i := range values {
		values[i] *= by
	}
}

// An engine that gives the same whatever it is given does not agree, whatever the head, not even where that is what the
// reference gives most often; nor does one whose numbers are another's.
func TestConstantEnginesDoNotAgree(t *testing.T) {
	eachHead(t, func(t *testing.T, g *goldenHead, outputs []string) {
		c := g.weights.Config
		reference := native.New(g.weights, 1)
		batches := slices.Concat(parity.Batches(sequences(c, 3, 5, 8, 11, 13), c.PadTokenID), parity.Adversarial(c))
		for i, b := range batches {
			batches[i] = b.ForArchitecture(c.Architecture)
		}
		sums := map[string][]float64{} // of each column, or of the only one
		rows := map[string]float64{}
		for _, b := range batches {
			out, err := reference.Run(context.Background(), b.Inputs)
			if err != nil {
				t.Fatal(err)
			}
			for name, tensor := range out {
				width := widthOf(c, name, tensor)
				if sums[name] == nil {
					sums[name] = make([]float64, width)
				}
				for i, v := range tensor.Data.([]float32) {
					sums[name][i%width] += float64(v)
				}
				rows[name] += float64(len(tensor.Data.([]float32)) / width)
			}
		}
		constant := wrongSession{reference, func(out map[string]runtime.Tensor) {
			for name, tensor := range out {
				values, width := tensor.Data.([]float32), widthOf(c, name, tensor)
				for i := range values {
					values[i] = float32(sums[name][i%width] / rows[name])
				}
			}
		}}
		shifted := wrongSession{reference, func(out map[string]runtime.Tensor) {
			for _, tensor := range out {
				values := tensor.Data.([]float32)
				copy(values, append(slices.Clone(values[len(values)/2:]), values[:len(values)/2]...))
			}
		}}
		for what, session := range map[string]runtime.Session{"constant": constant, "shifted": shifted} {
			findings, err := parity.Agreement(context.Background(), reference, session, batches, c, parity.LeastAgreement)
			if err != nil || len(findings) != len(outputs) {
				t.Fatalf("%d findings, error %v", len(findings), err)
			}
			for _, f := range findings {
				if f.OK && !f.Unproven {
					t.Errorf("%s: %s is said to agree: %s", what, f.Tensor, f.Worst)
				}
			}
		}
	})
}

// widthOf is how many values of an output go together.
func widthOf(c models.Config, name string, t runtime.Tensor) int {
	if name == models.StartLogits || name == models.EndLogits || c.Architecture == models.ForMultipleChoice {
		return 1
	}
	return t.Shape[len(t.Shape)-1]
}

// predictionsOf is a classification of n examples, of which one in every is of the second class, with the logits that the first
// and the last example have changed.
func predictionsOf(n, every int) [][]float32 {
	var logits [][]float32
	for i := range n {
		noise := float32(i%7) / 20
		if every > 0 && i%every == 0 {
			logits = append(logits, []float32{-3 + noise, 3})
		} else {
			logits = append(logits, []float32{3 + noise, -3})
		}
	}
	return logits
}

// An engine that says the class of nearly all examples of all of them is found, where there are enough; where native itself
// says nothing else nothing is proven, unless the logits show it.
func TestRareClasses(t *testing.T) {
	c := openHead(t, "single_label").weights.Config
	c.Labels = models.NewLabels("a", "b")
	judge := func(got, want [][]float32, least float64) parity.Finding {
		return parity.Predictions("engine", "native", "predictions of x", c, got, want, least)
	}
	want := predictionsOf(200, 20)
	if f := judge(want, want, 0.9); !f.OK || f.Unproven || *f.Agreement != 1 {
		t.Errorf("native is not itself: %+v", f)
	}
	if f := judge(predictionsOf(200, 0), want, 0.9); f.OK || f.Share <= 1 || *f.Agreement != 0 {
		t.Errorf("one class of 95 %% is said to agree: %+v", f)
	}
	if f := judge(predictionsOf(12, 0), predictionsOf(12, 12), 0.9); f.OK && !f.Unproven {
		t.Errorf("one class of 11 of 12 is said to agree: %+v", f)
	}
	only := predictionsOf(200, 0)
	if f := judge(only, only, 0.9); !f.OK || f.Unproven { // the logits vary, and are the same
		t.Errorf("got %+v", f)
	}
	noisy := predictionsOf(200, 0)
	for i := range noisy {
		noisy[i][0] += float32(i%3) - 1
	}
	f := judge(noisy, only, 0.9)
	if !f.OK || !f.Unproven || !strings.Contains(f.Worst, "the same in 200") {
		t.Errorf("it is said to be proven: %+v", f)
	}
	r := &parity.Report{Findings: []parity.Finding{f}}
	if r.OK() || len(r.Undecided()) != 1 || !strings.Contains(r.Verdict(), "NOT proven") {
		t.Errorf("the report says %q", r.Verdict())
	}
	if f := judge(noisy, only, 0); !f.OK || f.Unproven {
		t.Errorf("nothing is demanded, and it is %+v", f)
	}
	logits := f
	logits.Tensor = models.Logits
	r.Findings = []parity.Finding{logits, judge(want, want, 0.9)}
	if !r.OK() {
		t.Errorf("examples of both classes do not stand for the others: %s", r.Verdict())
	}
	for i := range only {
		only[i] = []float32{1, 0}
	}
	if f := judge(only, only, 0.9); !f.Unproven {
		t.Errorf("logits that never vary are said to agree: %+v", f)
	}
}

// Each label counts by itself, and a value is compared with what varies in native's.
func TestRareLabelsAndValues(t *testing.T) {
	c := openHead(t, "multi_label").weights.Config
	var want, got, values, near, mean, above [][]float32
	for i := range 100 {
		row := []float32{-4, -4, -4, -4}
		if i%10 == 0 {
			row[i/10%4] = 4
		}
		want, got = append(want, row), append(got, []float32{-4, -4, -4, -4})
		v := float32(i%9) / 9
		values, near, mean = append(values, []float32{100 + v}), append(near, []float32{100 + v + float32(i%2)/50}), append(mean, []float32{100.4})
		above = append(above, []float32{101 + v})
	}
	judge := func(c models.Config, got, want [][]float32) parity.Finding {
		return parity.Predictions("engine", "native", "predictions of x", c, got, want, parity.LeastAgreement)
	}
	if f := judge(c, want, want); !f.OK || f.Unproven || *f.Agreement != 1 {
		t.Errorf("native is not itself: %+v", f)
	}
	if f := judge(c, got, want); f.OK || !strings.Contains(f.Worst, "10 of 400 are others") {
		t.Errorf("no label at all agrees: %+v", f)
	}
	c = openHead(t, "regression").weights.Config
	if f := judge(c, near, values); !f.OK || *f.Agreement < 0.99 {
		t.Errorf("near values do not agree: %+v", f)
	}
	if f := judge(c, mean, values); f.OK {
		t.Errorf("the mean of all values agrees: %+v", f)
	}
	if f := judge(c, above, values); f.OK {
		t.Errorf("values that are all 1 too high agree: %+v", f)
	}
}

// A choice between two logits that the reference holds for nearly equal is open; another one is not.
func TestTiesAgree(t *testing.T) {
	w := openGolden(t, "base").weights
	reference := native.New(w, 1)
	b := parity.Batches(sequences(w.Config, 9), w.Config.PadTokenID)[:1]
	for _, test := range []struct {
		gap  float32 // between the first and the second, in deviations
		want string  // in how many they differ
	}{{0.3, "all of 9 are ties"}, {0.9, "9 of 9 are others"}} {
		shared := func(first, second float32) func(map[string]runtime.Tensor) {
			return func(out map[string]runtime.Tensor) {
				values := out[models.PredictionLogits].Data.([]float32)
				v := w.Config.VocabSize
				for i := range values { // of deviation about 1 in each row, but for two, whose places differ
					values[i] = float32(2*(i%2) - 1)
					switch (i + i/v*7) % v {
					case 0:
						values[i] = first
					case 1:
						values[i] = second
					}
				}
			}
		}
		native, engine := wrongSession{reference, shared(5+test.gap, 5)}, wrongSession{reference, shared(5, 5+test.gap)}
		findings, err := parity.Agreement(context.Background(), native, engine, b, w.Config, parity.LeastAgreement)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range findings {
			if f.Tensor == models.PredictionLogits && (f.OK != (test.gap < 0.5) || !strings.Contains(f.Worst, test.want)) {
				t.Errorf("a gap of %v: agreement %v, %s", test.gap, *f.Agreement, f.Worst)
			}
		}
	}
}
