package parity_test

import (
	"context"
	"math"
	"testing"

	"goalbert/models"
	"goalbert/parity"
	"goalbert/runtime/native"
)

// Random weights of a deep model leave the tokens of a sequence different, logits of the size of 1, and no bias and no norm as
// initialization has it.
func TestRandomWeights(t *testing.T) {
	c, err := models.Preset("albert-base-v2")
	if err != nil {
		t.Fatal(err)
	}
	c.VocabSize, c.HiddenSize, c.IntermediateSize, c.NumAttentionHeads = 500, 192, 768, 3
	w := parity.RandomWeights(c, 1)
	for _, p := range w.Parameters.Order {
		data := w.Tensor(p)
		for i, v := range data {
			if len(p.Shape) == 1 && (v == 0 || v == 1) {
				t.Errorf("%s has %v at %d", p.Name, v, i)
			}
		}
	}
	b := parity.Batches(sequences(c, 24), c.PadTokenID)[0]
	out, err := native.NewWithTensors(w, 2).Run(context.Background(), b.Inputs)
	if err != nil {
		t.Fatal(err)
	}
	if deviation := rootMeanSquare(out[models.PredictionLogits].Data.([]float32)); deviation < 0.5 || deviation > 3 {
		t.Errorf("logits have deviation %v", deviation)
	}
	hidden := out[models.LayerTensor(c.NumHiddenLayers-1, models.LayerOutput)].Data.([]float32)
	apart := make([]float32, len(hidden)) // from the mean of the tokens
	for column := range c.HiddenSize {
		mean := float32(0)
		for i := column; i < len(hidden); i += c.HiddenSize {
			mean += hidden[i] / 24
		}
		for i := column; i < len(hidden); i += c.HiddenSize {
			apart[i] = hidden[i] - mean
		}
	}
	if share := rootMeanSquare(apart) / rootMeanSquare(hidden); share < 0.03 {
		t.Errorf("tokens differ by %.3f of their size", share)
	} else {
		t.Logf("tokens differ by %.3f of their size", share)
	}
}

func rootMeanSquare(values []float32) float64 {
	sum := 0.0
	for _, v := range values {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum / float64(len(values)))
}
