package native

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"goalbert/models"
)

// A gradient that is not finite leaves the weights and the optimizer as they were.
func TestStepRefusesNaN(t *testing.T) {
	c := testConfig()
	e := newEngine(t, testWeights(c), Options{Threads: 1})
	before := slices.Clone(e.Weights().Data)
	e.AllReduce(func(g []float32) error { g[17] = float32(math.NaN()); return nil })
	norm, err := e.Step(testHyperparameters(models.AdamW))
	if err == nil || !strings.Contains(err.Error(), "norm is NaN") || !math.IsNaN(norm) {
		t.Errorf("got norm %v, error %v", norm, err)
	}
	if !slices.Equal(e.Weights().Data, before) {
		t.Error("the weights changed")
	}
	if e.optimizer.step != 0 {
		t.Error("the step was counted")
	}
}

// An engine that loads what another saved goes on to the same bits.
func TestOptimizerRoundTrip(t *testing.T) {
	c := testConfig()
	step := func(e *Engine) {
		if _, err := e.Accumulate(testBatch(c), testDenominators); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Step(testHyperparameters(models.AdamW)); err != nil {
			t.Fatal(err)
		}
	}
	first := newEngine(t, testWeights(c), Options{Threads: 1})
	step(first)
	path := filepath.Join(t.TempDir(), "optimizer.safetensors")
	var out bytes.Buffer
	if err := first.SaveOptimizer(&out); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, out.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	w := models.NewWeights(c)
	copy(w.Data, first.Weights().Data)
	second := newEngine(t, w, Options{Threads: 1})
	if err := second.LoadOptimizer(path); err != nil {
		t.Fatal(err)
	}
	step(first)
	step(second)
	if !slices.Equal(first.Weights().Data, second.Weights().Data) {
		t.Error("the loaded optimizer goes another way")
	}

	c.HiddenSize *= 2
	third := newEngine(t, testWeights(c), Options{Threads: 1})
	if err := third.LoadOptimizer(path); err == nil || !strings.Contains(err.Error(), "state of another model") {
		t.Errorf("the state of another model: got error %v", err)
	}
}

func TestCheckRefuses(t *testing.T) {
	for _, test := range []struct {
		want   string
		damage func(*models.Batch)
	}{
		{"input id 23 at index 2, want 0 to 22", func(b *models.Batch) { b.InputIDs[2] = 23 }},
		{"input id -1", func(b *models.Batch) { b.InputIDs[0] = -1 }},
		{"token type 2 at index 1", func(b *models.Batch) { b.TokenTypeIDs[1] = 2 }},
		{"position 9 at index 4, want 0 to 8", func(b *models.Batch) { b.PositionIDs[4] = 9 }},
		{"masked position 16", func(b *models.Batch) { b.MaskedPositions[4] = 16 }},
		{"masked label 23", func(b *models.Batch) { b.MaskedLabels[0] = 23 }},
		{"4 masked labels, want 5", func(b *models.Batch) { b.MaskedLabels = b.MaskedLabels[1:] }},
		{"sentence label 2", func(b *models.Batch) { b.SentenceLabels[0] = 2 }},
		{"sequence 1 has no tokens", func(b *models.Batch) { b.Offsets[2] = b.Offsets[1] }},
		{"do not fit together", func(b *models.Batch) { b.Offsets[4]-- }},
		{"do not fit together", func(b *models.Batch) { b.PositionIDs = b.PositionIDs[1:] }},
	} {
		c := testConfig()
		b := testBatch(c)
		test.damage(b)
		if err := Check(c, b); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got error %v, want one that says %q", err, test.want)
		}
	}
	if c := testConfig(); Check(c, testBatch(c)) != nil {
		t.Error("a good batch is refused")
	}
}
