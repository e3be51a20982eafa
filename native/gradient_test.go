package native

import (
	"math/rand/v2"
	"testing"

	"goalbert/internal/numeric"
	"goalbert/models"
)

// testConfig is small, and has every part: two groups, two inner layers, all three kinds of dropout.
func testConfig() models.Config {
	return models.Config{
		Architecture: models.ForPreTraining, VocabSize: 23, EmbeddingSize: 4, HiddenSize: 8, NumHiddenLayers: 4,
		NumHiddenGroups: 2, InnerGroupNum: 2, NumAttentionHeads: 2, IntermediateSize: 12, HiddenAct: models.GELUNew,
		MaxPositionEmbeddings: 9, TypeVocabSize: 2, InitializerRange: 0.3, LayerNormEps: 1e-12,
		HiddenDropoutProb: 0.2, AttentionProbsDropoutProb: 0.3, ClassifierDropoutProb: 0.25,
		PadTokenID: 0, BOSTokenID: 2, EOSTokenID: 3,
	}
}

// testWeights are random everywhere, biases and norms too.
func testWeights(c models.Config) *models.Weights {
	w := models.NewWeights(c)
	w.Initialize(5)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range w.Data {
		w.Data[i] += float32(0.2 * random.NormFloat64())
	}
	return w
}

// testBatch has sequences of different lengths: whole, one token alone, with a hole, and starting late, as left
// padding does.
func testBatch(c models.Config) *models.Batch {
	random := rand.New(rand.NewPCG(3, 4))
	b := &models.Batch{Offsets: []int{0}, Step: 7, FirstSequence: 40}
	for _, positions := range [][]int32{{0, 1, 2, 3, 4}, {0}, {0, 1, 4, 5}, {3, 4, 5, 6, 7, 8}} {
		for _, position := range positions {
			b.InputIDs = append(b.InputIDs, 5+random.Int32N(int32(c.VocabSize)-5))
			b.TokenTypeIDs = append(b.TokenTypeIDs, random.Int32N(2))
			b.PositionIDs = append(b.PositionIDs, position)
		}
		b.Offsets = append(b.Offsets, len(b.InputIDs))
	}
	b.MaskedPositions = []int32{1, 4, 5, 8, 13}
	b.MaskedLabels = []int32{7, 22, models.IgnoreIndex, 0, 9}
	b.SentenceLabels = []int32{0, 1, models.IgnoreIndex, 1}
	return b
}

var testDenominators = models.Denominators{MaskedTokens: 4, Sentences: 3}

// totalLoss is what Backward differentiates.
func totalLoss(l models.Losses, d models.Denominators) float64 {
	total := 0.0
	for _, part := range [][2]float64{{l.MaskedLM, d.MaskedTokens}, {l.Sentence, d.Sentences}, {l.Task, d.Labels}} {
		if part[1] > 0 {
			total += part[0] / part[1]
		}
	}
	return total
}

// The gradient of the whole model, with dropout, by central differences in float64.
func TestBackwardByFiniteDifferences(t *testing.T) {
	for _, act := range []models.Activation{models.GELU, models.GELUNew, models.ReLU, models.SiLU} {
		t.Run(string(act), func(t *testing.T) {
			c := testConfig()
			c.HiddenAct = act
			checkGradient(t, c, testBatch(c), Dropout{Enabled: true, Seed: 11})
		})
	}
}

func TestBackwardOfMaskedLMAlone(t *testing.T) {
	c := testConfig()
	c.Architecture = models.ForMaskedLM
	b := testBatch(c)
	b.SentenceLabels = nil
	checkGradient(t, c, b, Dropout{})
}

func checkGradient(t *testing.T, c models.Config, b *models.Batch, d Dropout) {
	checkGradientOf(t, c, b, d, testDenominators)
}

func checkGradientOf(t *testing.T, c models.Config, b *models.Batch, d Dropout, denominators models.Denominators) {
	m := New[float64](testWeights(c), 2)
	var a Activations[float64]
	loss := func() float64 {
		m.pack()
		m.Forward(&a, b, d)
		return totalLoss(m.Loss(&a, b), denominators)
	}
	loss()
	g := NewGradient(m)
	m.Backward(g, &a, b, d, denominators)
	for _, p := range m.table.Order {
		lo, hi := p.Offset, p.Offset+p.Size()
		numeric.CheckGradient(t, p.Name, loss, m.weights.flat[lo:hi], g.Flat()[lo:hi])
	}
}

func newEngine(t testing.TB, w *models.Weights, o Options) *Engine {
	t.Helper()
	e, err := NewEngine(w, o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}
