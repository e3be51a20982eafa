package native

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"goalbert/models"
)

// benchmarkBatch has whole sequences of the same length, 15 % of whose tokens are masked.
func benchmarkBatch(c models.Config, sequences, length int) *models.Batch {
	random := rand.New(rand.NewPCG(1, 1))
	b := &models.Batch{Offsets: []int{0}}
	for range sequences {
		for position := range length {
			if random.IntN(100) < 15 {
				b.MaskedPositions = append(b.MaskedPositions, int32(len(b.InputIDs)))
				b.MaskedLabels = append(b.MaskedLabels, 5+random.Int32N(int32(c.VocabSize-5)))
			}
			b.InputIDs = append(b.InputIDs, 5+random.Int32N(int32(c.VocabSize-5)))
			b.TokenTypeIDs = append(b.TokenTypeIDs, int32(2*position/length))
			b.PositionIDs = append(b.PositionIDs, int32(position))
		}
		b.Offsets = append(b.Offsets, len(b.InputIDs))
		b.SentenceLabels = append(b.SentenceLabels, random.Int32N(2))
	}
	return b
}

// stepFLOPs counts the model arithmetic of a training step: 6 for each weight of a linear and each row that passes it
// (a multiply and an add, forward and twice backward), and 12 for each pair of tokens and hidden column in attention.
func stepFLOPs(c models.Config, b *models.Batch) float64 {
	e, h, i, v := float64(c.EmbeddingSize), float64(c.HiddenSize), float64(c.IntermediateSize), float64(c.VocabSize)
	uses := float64(c.NumHiddenLayers * c.InnerGroupNum)
	tokens, masked, sequences := float64(b.Tokens()), float64(len(b.MaskedPositions)), float64(b.Sequences())
	pairs := 0.0
	for s := range b.Sequences() {
		n := float64(b.Offsets[s+1] - b.Offsets[s])
		pairs += n * n
	}
	weights := tokens*(e*h+uses*(4*h*h+2*h*i)) + masked*(h*e+e*v) + sequences*(h*h+2*h)
	return 6*weights + 12*uses*pairs*h
}

// One optimizer step: forward, backward, update.
func BenchmarkStep(b *testing.B) {
	for _, shape := range []struct {
		preset            string
		sequences, length int
	}{{"albert-tiny", 64, 64}, {"albert-base-v2", 8, 128}} {
		for _, o := range []Options{
			{Threads: 1}, {Threads: runtime.NumCPU()}, {Threads: runtime.NumCPU(), Recompute: true},
			{Threads: 1, Precision: BF16}, {Threads: runtime.NumCPU(), Precision: BF16},
		} {
			name := fmt.Sprintf("%s/batch=%dx%d/threads=%d/precision=%v/recompute=%v",
				shape.preset, shape.sequences, shape.length, o.Threads, o.Precision, o.Recompute)
			b.Run(name, func(b *testing.B) {
				if err := o.Precision.Available(); err != nil {
					b.Skip(err)
				}
				c, err := models.Preset(shape.preset)
				if err != nil {
					b.Fatal(err)
				}
				w := models.NewWeights(c)
				w.Initialize(1)
				e := newEngine(b, w, o)
				batch := benchmarkBatch(c, shape.sequences, shape.length)
				d := models.Denominators{MaskedTokens: float64(len(batch.MaskedLabels)), Sentences: float64(batch.Sequences())}
				step := func() {
					if _, err := e.Accumulate(batch, d); err != nil {
						b.Fatal(err)
					}
					if _, err := e.Step(testHyperparameters(models.AdamW)); err != nil {
						b.Fatal(err)
					}
				}
				step() // finds out how much memory a step needs
				step() // touches it
				for b.Loop() {
					step()
				}
				steps := float64(b.N) / b.Elapsed().Seconds()
				b.ReportMetric(steps*float64(batch.Tokens()), "tokens/s")
				b.ReportMetric(steps*stepFLOPs(c, batch)/1e9, "GFLOP/s")
			})
		}
	}
}
