package models

import (
	"math"
	"strings"
	"testing"
)

func tinyConfig() Config {
	c := albertTiny()
	c.VocabSize, c.EmbeddingSize, c.HiddenSize, c.IntermediateSize = 50, 8, 16, 24
	c.NumHiddenGroups, c.InnerGroupNum, c.MaxPositionEmbeddings = 2, 2, 12
	return c
}

func TestFlatOrder(t *testing.T) {
	p := NewParameters(tinyConfig())
	offset := 0
	for i, q := range p.Order {
		if q.Offset != offset {
			t.Errorf("%s starts at %d, want %d", q.Name, q.Offset, offset)
		}
		if q.Decayed != (offset < p.DecayedSize) {
			t.Errorf("%s, number %d, is on the wrong side of DecayedSize", q.Name, i)
		}
		if undecayed := strings.HasSuffix(q.Name, "bias") || strings.Contains(strings.ToLower(q.Name), "layernorm") ||
			strings.Contains(q.Name, "layer_norm"); undecayed == q.Decayed {
			t.Errorf("%s: decayed is %v; Google excludes LayerNorm, layer_norm and bias", q.Name, q.Decayed)
		}
		offset += q.Size()
	}
	if offset != p.Size {
		t.Errorf("sizes add up to %d, want %d", offset, p.Size)
	}
}

// The engine computes query, key and value in one product, and relies on this.
func TestQueryKeyValueLieSideBySide(t *testing.T) {
	for _, group := range NewParameters(tinyConfig()).LayerGroups {
		for _, l := range group {
			for _, triple := range [][3]*Parameter{
				{l.Query.Weight, l.Key.Weight, l.Value.Weight},
				{l.Query.Bias, l.Key.Bias, l.Value.Bias},
			} {
				for i := 1; i < 3; i++ {
					if triple[i].Offset != triple[i-1].Offset+triple[i-1].Size() {
						t.Errorf("%s does not follow %s", triple[i].Name, triple[i-1].Name)
					}
				}
			}
		}
	}
}

func TestMaskedLMHasNoPooler(t *testing.T) {
	c := tinyConfig()
	c.Architecture = ForMaskedLM
	p := NewParameters(c)
	if p.Pooler != nil || p.SOPClassifier != nil || p.Predictions == nil {
		t.Errorf("got pooler %v, sentence head %v, predictions %v; want the last alone", p.Pooler, p.SOPClassifier, p.Predictions)
	}
}

func TestInitialize(t *testing.T) {
	c := tinyConfig()
	c.VocabSize = 20000 // enough numbers for the moments below
	w := NewWeights(c)
	w.Initialize(1)
	for _, p := range w.Parameters.Order {
		data := w.Tensor(p)
		switch {
		case strings.HasSuffix(p.Name, "bias"):
			expectAll(t, p.Name, data, 0)
		case p.Initializer == Ones:
			expectAll(t, p.Name, data, 1)
		}
	}
	e := c.EmbeddingSize
	words := w.Tensor(w.Parameters.Embeddings.Word)
	expectAll(t, "the row of <pad>", words[c.PadTokenID*e:(c.PadTokenID+1)*e], 0)

	// A normal of standard deviation σ cut at 2σ has variance σ²(1 − 4φ(2)/(2Φ(2)−1)) = 0.7737σ². With n = 159,992
	// samples the standard error of the mean is 0.0022σ, and that of the variance below 0.0028σ²; five of each pass.
	sum, squares, n := 0.0, 0.0, float64(len(words)-e)
	for _, v := range words {
		x := float64(v) / c.InitializerRange
		sum += x
		squares += x * x
		if math.Abs(x) > 2.0001 {
			t.Fatalf("drew %v standard deviations, want at most 2", x)
		}
	}
	if mean := sum / n; math.Abs(mean) > 0.011 {
		t.Errorf("mean is %v standard deviations, want 0", mean)
	}
	if variance := squares / n; math.Abs(variance-0.7737) > 0.014 {
		t.Errorf("variance is %v, want 0.7737", variance)
	}
}

// A tensor's numbers depend on the seed and its name, so another architecture starts from the same ones.
func TestInitializeDependsOnNameAndSeed(t *testing.T) {
	c := tinyConfig()
	a, b := NewWeights(c), NewWeights(c)
	c.Architecture = ForMaskedLM
	m := NewWeights(c)
	a.Initialize(7)
	b.Initialize(8)
	m.Initialize(7)
	q := a.Parameters.LayerGroups[1][0].Query.Weight
	if got := m.Tensor(m.Parameters.LayerGroups[1][0].Query.Weight); got[0] != a.Tensor(q)[0] || got[5] != a.Tensor(q)[5] {
		t.Error("the same seed and name gave other numbers in another architecture")
	}
	if a.Tensor(q)[0] == b.Tensor(q)[0] {
		t.Error("another seed gave the same numbers")
	}
}

func expectAll(t *testing.T, name string, data []float32, want float32) {
	t.Helper()
	for i, v := range data {
		if v != want {
			t.Errorf("%s: got %v at %d, want %v everywhere", name, v, i, want)
			return
		}
	}
}
