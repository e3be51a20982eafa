package native

import (
	"fmt"
	"slices"
	"testing"

	"goalbert/internal/numeric"
	"goalbert/models"
)

// gradientOf returns the flat gradient of the float64 model over batches accumulated one after the other.
func gradientOf(w *models.Weights, d Dropout, denominators models.Denominators, batches ...*models.Batch) []float64 {
	m := New[float64](w, 2)
	var a Activations[float64]
	g := NewGradient(m)
	for _, b := range batches {
		m.Forward(&a, b, d)
		m.Backward(g, &a, b, d, denominators)
	}
	return g.Flat()
}

// split returns the sequences of b as batches of their own.
func split(b *models.Batch) []*models.Batch {
	var parts []*models.Batch
	for i := range b.Sequences() {
		lo, hi := b.Offsets[i], b.Offsets[i+1]
		part := &models.Batch{
			InputIDs: b.InputIDs[lo:hi], TokenTypeIDs: b.TokenTypeIDs[lo:hi], PositionIDs: b.PositionIDs[lo:hi],
			Offsets: []int{0, hi - lo}, SentenceLabels: b.SentenceLabels[i : i+1],
			Step: b.Step, FirstSequence: b.FirstSequence + i,
		}
		for j, row := range b.MaskedPositions {
			if int(row) >= lo && int(row) < hi {
				part.MaskedPositions = append(part.MaskedPositions, row-int32(lo))
				part.MaskedLabels = append(part.MaskedLabels, b.MaskedLabels[j])
			}
		}
		parts = append(parts, part)
	}
	return parts
}

// Any split of a step into micro-batches gives the gradient of the undivided batch, dropout and all.
func TestMicroBatchesGiveTheGradientOfTheWhole(t *testing.T) {
	c := testConfig()
	w, b := testWeights(c), testBatch(c)
	d := Dropout{Enabled: true, Seed: 3}
	whole := gradientOf(w, d, testDenominators, b)
	parts := gradientOf(w, d, testDenominators, split(b)...)
	numeric.Check(t, "gradient", parts, whole, numeric.SameSum64)
}

// ALBERT's own case: the gradient of a shared layer is the sum of those that its uses would have, were each a layer
// of its own with the same weights.
func TestSharedLayerGradientIsTheSumOverItsUses(t *testing.T) {
	c := testConfig()
	c.NumHiddenLayers, c.NumHiddenGroups, c.InnerGroupNum = 3, 1, 1
	shared := testWeights(c)
	c.NumHiddenGroups = 3
	apart := models.NewWeights(c)
	names := map[string]*models.Parameter{}
	for _, p := range shared.Parameters.Order {
		names[p.Name] = p
	}
	for _, p := range apart.Parameters.Order {
		copy(apart.Tensor(p), shared.Tensor(names[inGroupZero(p.Name)]))
	}

	got := gradientOf(shared, Dropout{}, testDenominators, testBatch(c))
	want := make([]float64, len(got))
	each := gradientOf(apart, Dropout{}, testDenominators, testBatch(c))
	for _, p := range apart.Parameters.Order {
		q := names[inGroupZero(p.Name)]
		for i := range p.Size() {
			want[q.Offset+i] += each[p.Offset+i]
		}
	}
	numeric.Check(t, "gradient of the shared layer", got, want, numeric.SameSum64)
}

// inGroupZero returns the name of the same tensor in layer group 0.
func inGroupZero(name string) string {
	const groups = "albert.encoder.albert_layer_groups."
	if len(name) > len(groups) && name[:len(groups)] == groups {
		return groups + "0" + name[len(groups)+1:]
	}
	return name
}

// The decoder is the word embeddings: rows that no input names get a gradient through it, and only through it.
func TestTiedDecoderAddsToTheEmbeddingGradient(t *testing.T) {
	c := testConfig()
	w, b := testWeights(c), testBatch(c)
	b.SentenceLabels[2] = 0 // all of them count, so that every input has a gradient
	with := gradientOf(w, Dropout{}, testDenominators, b)
	b.MaskedPositions, b.MaskedLabels = nil, nil
	without := gradientOf(w, Dropout{}, testDenominators, b)
	word := w.Parameters.Embeddings.Word
	for id := range c.VocabSize {
		lo, hi := word.Offset+id*c.EmbeddingSize, word.Offset+(id+1)*c.EmbeddingSize
		if isZero(with[lo:hi]) {
			t.Errorf("the row of id %d has no gradient with predictions", id)
		}
		if used := slices.Contains(b.InputIDs, int32(id)); used == isZero(without[lo:hi]) {
			t.Errorf("the row of id %d: an input is %v, but no gradient without predictions is %v", id, used, !used)
		}
	}
}

// <pad> as an input, as random replacement may have it, sends no gradient to its row: PyTorch's padding_idx.
func TestPadAsInputHasNoGradient(t *testing.T) {
	c := testConfig()
	w, b := testWeights(c), testBatch(c)
	b.InputIDs[3] = int32(c.PadTokenID)
	b.MaskedPositions, b.MaskedLabels = nil, nil
	g := gradientOf(w, Dropout{}, testDenominators, b)
	lo := w.Parameters.Embeddings.Word.Offset + c.PadTokenID*c.EmbeddingSize
	if !isZero(g[lo : lo+c.EmbeddingSize]) {
		t.Errorf("got %v, want zeros", g[lo:lo+c.EmbeddingSize])
	}
}

// Labels to be ignored, and positions that no sequence has, receive no gradient.
func TestIgnoredLabelsAndUnusedPositionsHaveNoGradient(t *testing.T) {
	c := testConfig()
	w, b := testWeights(c), testBatch(c)
	for i := range b.MaskedLabels {
		b.MaskedLabels[i] = models.IgnoreIndex
	}
	for i := range b.SentenceLabels {
		b.SentenceLabels[i] = models.IgnoreIndex
	}
	if g := gradientOf(w, Dropout{}, testDenominators, b); !isZero(g) {
		t.Error("labels that are all ignored give a gradient")
	}
	b = split(testBatch(c))[2] // positions 0, 1, 4, 5
	g := gradientOf(w, Dropout{}, testDenominators, b)
	position := w.Parameters.Embeddings.Position
	for i := range c.MaxPositionEmbeddings {
		lo := position.Offset + i*c.EmbeddingSize
		if used := slices.Contains(b.PositionIDs, int32(i)); used == isZero(g[lo:lo+c.EmbeddingSize]) {
			t.Errorf("position %d: used is %v, but has a gradient is %v", i, used, !used)
		}
	}
}

func isZero(x []float64) bool { return !slices.ContainsFunc(x, func(v float64) bool { return v != 0 }) }

// Training gives the same bits for any number of threads.
func TestThreadsDoNotChangeTheBits(t *testing.T) {
	c := testConfig()
	c.VocabSize, c.HiddenSize, c.IntermediateSize, c.NumAttentionHeads = 700, 32, 64, 4
	for _, optimizer := range []models.Optimizer{models.AdamW, models.LAMB} {
		var want []float32
		for _, threads := range []int{1, 2, 3, 8} {
			w := testWeights(c)
			e := NewEngine(w, Options{Threads: threads, Seed: 5})
			for step := range 3 {
				b := testBatch(c)
				b.Step = uint64(step)
				if _, err := e.Accumulate(b, testDenominators); err != nil {
					t.Fatal(err)
				}
				if _, err := e.Step(testHyperparameters(optimizer)); err != nil {
					t.Fatal(err)
				}
			}
			if want == nil {
				want = w.Data
			} else if !slices.Equal(w.Data, want) {
				t.Errorf("%s: %d threads give other weights than 1", optimizer, threads)
			}
		}
	}
}

func testHyperparameters(o models.Optimizer) models.Hyperparameters {
	return models.Hyperparameters{Optimizer: o, LearningRate: 0.01, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8,
		WeightDecay: 0.01, BiasCorrection: o == models.AdamW, MaxGradNorm: 1}
}

// A forward pass in float32 is that in float64 but for rounding.
func TestFloat32FollowsFloat64(t *testing.T) {
	c := testConfig()
	w, b := testWeights(c), testBatch(c)
	var narrow Activations[float32]
	var wide Activations[float64]
	New[float32](w, 1).Forward(&narrow, b, Dropout{})
	New[float64](w, 1).Forward(&wide, b, Dropout{})
	want := make([]float32, len(wide.PredictionLogits))
	for i, v := range wide.PredictionLogits {
		want[i] = float32(v)
	}
	numeric.Check(t, "prediction logits", narrow.PredictionLogits, want, numeric.GoldenFloat32)
}

// An Activations that has seen a larger batch gives the same results: nothing of the old one is left.
func TestActivationsCanBeUsedAgain(t *testing.T) {
	c := testConfig()
	m := New[float32](testWeights(c), 1)
	whole := testBatch(c)
	var used Activations[float32]
	m.Forward(&used, whole, Dropout{})
	for i, part := range split(whole) {
		var fresh Activations[float32]
		m.Forward(&fresh, part, Dropout{})
		m.Forward(&used, part, Dropout{})
		if !slices.Equal(fresh.SOPLogits, used.SOPLogits) || !slices.Equal(fresh.LastHiddenState, used.LastHiddenState) {
			t.Errorf("sequence %d gives other results in activations that were used before", i)
		}
	}
}

// What a batch's other sequences are does not change a sequence's results.
func TestSequencesDoNotSeeEachOther(t *testing.T) {
	c := testConfig()
	m := New[float32](testWeights(c), 1)
	b := testBatch(c)
	var whole, alone Activations[float32]
	m.Forward(&whole, b, Dropout{})
	for i, part := range split(b) {
		m.Forward(&alone, part, Dropout{})
		lo, hi := b.Offsets[i]*c.HiddenSize, b.Offsets[i+1]*c.HiddenSize
		numeric.Check(t, fmt.Sprintf("hidden states of sequence %d", i), alone.LastHiddenState, whole.LastHiddenState[lo:hi],
			numeric.GoldenFloat32)
	}
}
