package native

import (
	"fmt"
	"math"
	"runtime"
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

// Training gives the same bits for any number of threads, and whether activations are kept or computed again.
func TestThreadsAndRecomputationDoNotChangeTheBits(t *testing.T) {
	for _, precision := range []Precision{FP32, BF16} {
		for _, optimizer := range []models.Optimizer{models.AdamW, models.LAMB} {
			t.Run(fmt.Sprintf("%v/%s", precision, optimizer), func(t *testing.T) {
				if err := precision.Available(); err != nil {
					t.Skip(err)
				}
				want := trained(t, optimizer, Options{Threads: 1, Seed: 5, Precision: precision})
				for _, threads := range []int{1, 2, 3, 8} {
					for _, recompute := range []bool{false, true} {
						o := Options{Threads: threads, Seed: 5, Precision: precision, Recompute: recompute}
						if !slices.Equal(trained(t, optimizer, o), want) {
							t.Errorf("%+v gives other weights than one thread that keeps all", o)
						}
					}
				}
			})
		}
	}
}

// trained returns the weights after three steps on batches with many tiles of rows.
func trained(t *testing.T, optimizer models.Optimizer, o Options) []float32 {
	t.Helper()
	c := manyTilesConfig()
	w := testWeights(c)
	e := newEngine(t, w, o)
	for step := range 3 {
		b := benchmarkBatch(c, 9, 30)
		b.Step = uint64(step)
		if _, err := e.Accumulate(b, testDenominators); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Step(testHyperparameters(optimizer)); err != nil {
			t.Fatal(err)
		}
	}
	return w.Data
}

// manyTilesConfig is of a size at which every task has several parts.
func manyTilesConfig() models.Config {
	c := testConfig()
	c.VocabSize, c.HiddenSize, c.IntermediateSize, c.NumAttentionHeads, c.MaxPositionEmbeddings = 700, 32, 160, 4, 30
	return c
}

// In steady state a step allocates nothing.
func TestStepAllocatesNothing(t *testing.T) {
	for _, o := range []Options{
		{Threads: 1}, {Threads: 2}, {Threads: 2, Recompute: true}, {Threads: 2, Precision: BF16},
	} {
		for _, optimizer := range []models.Optimizer{models.AdamW, models.LAMB} {
			t.Run(fmt.Sprintf("%+v/%s", o, optimizer), func(t *testing.T) {
				if err := o.Precision.Available(); err != nil {
					t.Skip(err)
				}
				c := manyTilesConfig()
				e := newEngine(t, testWeights(c), o)
				batches := []*models.Batch{benchmarkBatch(c, 3, 17), benchmarkBatch(c, 9, 30)}
				h := testHyperparameters(optimizer)
				step := func() {
					for _, b := range batches {
						if _, err := e.Accumulate(b, testDenominators); err != nil {
							t.Fatal(err)
						}
					}
					if _, err := e.Step(h); err != nil {
						t.Fatal(err)
					}
					if _, err := e.Evaluate(batches[0]); err != nil {
						t.Fatal(err)
					}
				}
				// Each worker's memory grows until it has done the largest part, which is a matter of luck.
				allocations := uint64(1)
				for try := 0; allocations > 0 && try < 20; try++ {
					var before, after runtime.MemStats
					runtime.ReadMemStats(&before)
					for range 10 {
						step()
					}
					runtime.ReadMemStats(&after)
					allocations = after.Mallocs - before.Mallocs
				}
				if allocations > 0 {
					t.Errorf("%v allocations in ten steps, want 0", allocations)
				}
			})
		}
	}
}

// Recomputation takes at most a quarter of a base model's activations, gradients of activations and logits included. The
// model is a quarter as wide, and has a quarter of the vocabulary.
func TestRecomputationSavesMemory(t *testing.T) {
	c, err := models.Preset("albert-base-v2")
	if err != nil {
		t.Fatal(err)
	}
	c.VocabSize, c.HiddenSize, c.EmbeddingSize, c.IntermediateSize, c.NumAttentionHeads = 30000/4, 192, 32, 768, 3
	size := func(recompute bool) int {
		var a Activations[float32]
		m := newModel[float32](testWeights(c), Options{Threads: 1, Recompute: recompute})
		b := benchmarkBatch(c, 8, 128)
		m.Forward(&a, b, Dropout{})
		m.Backward(NewGradient(m), &a, b, Dropout{}, testDenominators)
		return a.Size()
	}
	if all, some := size(false), size(true); 4*some > all {
		t.Errorf("%d numbers instead of %d, %.3f of them, want at most a quarter", some, all, float64(some)/float64(all))
	}
}

// What Infer keeps is too little for a backward pass.
func TestBackwardAfterInferPanics(t *testing.T) {
	c := testConfig()
	m, b := New[float32](testWeights(c), 1), testBatch(c)
	var a Activations[float32]
	m.Infer(&a, b)
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	m.Backward(NewGradient(m), &a, b, Dropout{}, testDenominators)
}

// Sizes at the edges of tiles and vectors, of heads too, in float32 and bf16, whether activations are kept or not, against
// float64; without predictions or the sentence head too.
func TestGradientsOfOddSizes(t *testing.T) {
	for _, size := range []struct{ hidden, heads, intermediate, embedding, vocabulary int }{
		{33, 3, 47, 5, 41}, {50, 5, 131, 31, 999}, {129, 3, 257, 129, 300},
	} {
		for _, lengths := range [][]int{{1}, {33, 1, 17}, {129, 64}} {
			for _, architecture := range []models.Architecture{models.ForPreTraining, models.ForMaskedLM} {
				c := testConfig()
				c.Architecture, c.InitializerRange, c.MaxPositionEmbeddings = architecture, 0.02, 130
				c.HiddenSize, c.NumAttentionHeads, c.IntermediateSize = size.hidden, size.heads, size.intermediate
				c.EmbeddingSize, c.VocabSize = size.embedding, size.vocabulary
				b := benchmarkBatch(c, 0, 0)
				for _, n := range lengths {
					one := benchmarkBatch(c, 1, n)
					appendBatch(b, one)
				}
				if architecture == models.ForMaskedLM {
					b.SentenceLabels = nil
				} else if len(lengths) == 1 {
					b.MaskedPositions, b.MaskedLabels = nil, nil
				}
				w := models.NewWeights(c)
				w.Initialize(1)
				want := gradientOf(w, Dropout{Enabled: true, Seed: 2}, testDenominators, b)
				for _, o := range []Options{{Threads: 1}, {Threads: 3, Recompute: true}, {Threads: 2, Precision: BF16}} {
					if o.Precision.Available() != nil {
						continue
					}
					o.Seed = 2
					e := newEngine(t, w, o)
					if _, err := e.Accumulate(b, testDenominators); err != nil {
						t.Fatal(err)
					}
					limit := 1e-4 // a float32 sum's error grows with its terms, of which there are thousands
					if o.Precision == BF16 {
						limit = 3 * numeric.BF16 // smaller models have fewer signs to cancel
					}
					off, norm := 0.0, 0.0
					for i, v := range e.gradient.Flat() {
						off += (float64(v) - want[i]) * (float64(v) - want[i])
						norm += want[i] * want[i]
					}
					if !(math.Sqrt(off) <= limit*math.Sqrt(norm)) {
						t.Errorf("%+v, lengths %v, %s, %+v: the gradient is off by %v, want at most %v of %v",
							size, lengths, architecture, o, math.Sqrt(off), limit, math.Sqrt(norm))
					}
				}
			}
		}
	}
}

// appendBatch adds the sequences of other to b.
func appendBatch(b, other *models.Batch) {
	t := len(b.InputIDs)
	b.InputIDs = append(b.InputIDs, other.InputIDs...)
	b.TokenTypeIDs = append(b.TokenTypeIDs, other.TokenTypeIDs...)
	b.PositionIDs = append(b.PositionIDs, other.PositionIDs...)
	for _, row := range other.MaskedPositions {
		b.MaskedPositions = append(b.MaskedPositions, row+int32(t))
	}
	b.MaskedLabels = append(b.MaskedLabels, other.MaskedLabels...)
	for _, end := range other.Offsets[1:] {
		b.Offsets = append(b.Offsets, end+t)
	}
	b.SentenceLabels = append(b.SentenceLabels, other.SentenceLabels...)
}

// What Infer computes is what Forward does without dropout.
func TestInferIsForward(t *testing.T) {
	c := manyTilesConfig()
	m, b := New[float32](testWeights(c), 2), benchmarkBatch(c, 9, 30)
	var forward, infer Activations[float32]
	m.Forward(&forward, b, Dropout{})
	m.Infer(&infer, b)
	if !slices.Equal(infer.PredictionLogits, forward.PredictionLogits) || !slices.Equal(infer.SOPLogits, forward.SOPLogits) {
		t.Error("the outputs differ")
	}
	if infer.Size() >= forward.Size() {
		t.Errorf("infer takes %d numbers and forward %d", infer.Size(), forward.Size())
	}
}

// Products in bf16 give the gradient in float32 but for the rounding of their factors, 2⁻⁹ at most each.
func TestBF16FollowsFloat32(t *testing.T) {
	if err := BF16.Available(); err != nil {
		t.Skip(err)
	}
	c := manyTilesConfig()
	c.InitializerRange = 0.02 // with weights as large as those of other tests errors would grow from layer to layer
	gradient := func(precision Precision) ([]float32, models.Losses) {
		w := models.NewWeights(c)
		w.Initialize(1)
		e := newEngine(t, w, Options{Threads: 2, Precision: precision})
		l, err := e.Accumulate(benchmarkBatch(c, 9, 30), testDenominators)
		if err != nil {
			t.Fatal(err)
		}
		return e.gradient.Flat(), l
	}
	got, gotLosses := gradient(BF16)
	want, wantLosses := gradient(FP32)
	square := func(x []float32) float64 {
		sum := 0.0
		for _, v := range x {
			sum += float64(v) * float64(v)
		}
		return sum
	}
	difference := slices.Clone(want)
	for i := range difference {
		difference[i] -= got[i]
	}
	if off := math.Sqrt(square(difference) / square(want)); off == 0 || off > numeric.BF16 {
		t.Errorf("the gradient is off by %v of its norm, want more than 0 and at most %v", off, numeric.BF16)
	}
	if off := math.Abs(gotLosses.MaskedLM/wantLosses.MaskedLM - 1); off > numeric.BF16 {
		t.Errorf("the loss is off by %v, want at most %v", off, numeric.BF16)
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

// What a batch's other sequences are does not change a bit of a sequence's results.
func TestSequencesDoNotSeeEachOther(t *testing.T) {
	c := manyTilesConfig()
	for _, precision := range []Precision{FP32, BF16} {
		if precision.Available() != nil {
			continue
		}
		m := newModel[float32](testWeights(c), Options{Threads: 2, Precision: precision})
		b := benchmarkBatch(c, 0, 0)
		for _, n := range []int{30, 1, 17, 29, 30, 30, 30, 30, 2} {
			appendBatch(b, benchmarkBatch(c, 1, n))
		}
		var whole, alone Activations[float32]
		m.Infer(&whole, b)
		for i, part := range split(b) {
			m.Infer(&alone, part)
			lo, hi := b.Offsets[i]*c.HiddenSize, b.Offsets[i+1]*c.HiddenSize
			if !slices.Equal(alone.LastHiddenState, whole.LastHiddenState[lo:hi]) {
				t.Errorf("%v: sequence %d has other hidden states than alone", precision, i)
			}
		}
	}
}
