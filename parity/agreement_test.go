package parity_test

import (
	"context"
	"math"
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

// A choice between two logits that the reference holds for nearly equal is open; another one is not.
func TestTiesAgree(t *testing.T) {
	w := openGolden(t, "base").weights
	reference := native.New(w, 1)
	b := parity.Batches(sequences(w.Config, 9), w.Config.PadTokenID)[:1]
	for _, test := range []struct {
		gap  float32 // between the first and the second, in deviations
		want float64
	}{{0.3, 1}, {0.9, 0}} {
		shared := func(first, second float32) func(map[string]runtime.Tensor) {
			return func(out map[string]runtime.Tensor) {
				values := out[models.PredictionLogits].Data.([]float32)
				v := w.Config.VocabSize
				for i := range values { // of deviation about 1 in each row, but for two
					values[i] = float32(2*(i%2) - 1)
					switch i % v {
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
			if f.Tensor == models.PredictionLogits && (*f.Agreement != test.want || !strings.Contains(f.Worst, "another one is chosen in 9")) {
				t.Errorf("a gap of %v: agreement %v, %s", test.gap, *f.Agreement, f.Worst)
			}
		}
	}
}
