package parity_test

import (
	"path/filepath"
	"slices"
	"testing"

	"goalbert/models"
	"goalbert/native"
	"goalbert/native/kernel"
)

// goldenLosses are the losses that heads are fine-tuned with, as transformers and sentence-transformers compute them
// (tools/golden/heads.py), and how many sequences belong together.
var goldenLosses = []struct {
	head, loss string
	group      int
}{
	{"single_label", "cross_entropy", 0},
	{"single_label", "weighted_cross_entropy", 0},
	{"multi_label", "binary_cross_entropy", 0},
	{"regression", "squared_error", 0},
	{"tokens", "cross_entropy", 0},
	{"tokens", "weighted_cross_entropy", 0},
	{"answers", "cross_entropy", 0},
	{"choices", "cross_entropy", 2},
	{"features", "cosine", 2},
	{"features", "pairs", 2},
	{"features", "triples", 3},
}

// openLoss returns the golden tensors of a loss, and its batch without padding.
func openLoss(t *testing.T, head, loss string, group int) (*golden, *models.Batch) {
	t.Helper()
	g := &golden{t: t, dir: filepath.Join("testdata", "heads", head)}
	var err error
	if g.weights, err = models.ReadCheckpoint(g.dir); err != nil {
		t.Fatal(err)
	}
	if g.tensors, err = models.ReadSafetensors(filepath.Join(g.dir, loss+".safetensors")); err != nil {
		t.Fatal(err)
	}
	b := &models.Batch{Offsets: []int{0}, Group: group}
	g.rows, g.length = g.tensors["attention_mask"].Shape[0], g.tensors["attention_mask"].Shape[1]
	ids, types, mask := g.integers("input_ids"), g.integers("token_type_ids"), g.integers("attention_mask")
	for row := range g.rows {
		for position := range g.length {
			if place := row*g.length + position; mask[place] == 1 {
				g.places = append(g.places, place)
				b.InputIDs = append(b.InputIDs, int32(ids[place]))
				b.TokenTypeIDs = append(b.TokenTypeIDs, int32(types[place]))
				b.PositionIDs = append(b.PositionIDs, int32(position))
			}
		}
		b.Offsets = append(b.Offsets, len(g.places))
	}
	g.label(b)
	return g, b
}

// label gives b the golden labels or targets.
func (g *golden) label(b *models.Batch) {
	switch g.weights.Config.Architecture {
	case models.ForQuestionAnswering:
		starts, ends := g.integers("start_positions"), g.integers("end_positions")
		for i := range starts {
			b.Labels = append(b.Labels, int32(starts[i]), int32(ends[i]))
		}
	case models.ForTokenClassification:
		labels := g.integers("labels")
		for _, place := range g.places {
			b.Labels = append(b.Labels, int32(labels[place]))
		}
	default:
		if labels, there := g.tensors["labels"]; there && labels.DType == "F64" {
			b.Targets = narrow(g.floats("labels"))
		} else if there {
			for _, label := range g.integers("labels") {
				b.Labels = append(b.Labels, int32(label))
			}
		}
	}
	if _, weighted := g.tensors["label_weights"]; weighted {
		b.LabelWeights = narrow(g.floats("label_weights"))
	}
}

func TestGoldenLossesOfHeads(t *testing.T) {
	for _, c := range goldenLosses {
		t.Run(c.head+"/"+c.loss, func(t *testing.T) {
			g, b := openLoss(t, c.head, c.loss, c.group)
			if err := native.Check(g.weights.Config, b); err != nil {
				t.Fatal(err)
			}
			t.Run("float64", func(t *testing.T) { g.t = t; checkLoss[float64](g, b) })
			t.Run("float32", func(t *testing.T) { g.t = t; checkLoss[float32](g, b) })
		})
	}
}

func checkLoss[T kernel.Float](g *golden, b *models.Batch) {
	m := native.New[T](g.weights, 2)
	var a native.Activations[T]
	m.Forward(&a, b, native.Dropout{})
	d := models.Denominators{Labels: b.LabelDenominator(g.weights.Config.Architecture)}
	check(g, "loss", []T{T(m.Loss(&a, b).Task / d.Labels)}, g.floats("loss"))

	gradient := native.NewGradient(m)
	m.Backward(gradient, &a, b, native.Dropout{}, d)
	compared := 0
	for _, p := range g.weights.Parameters.Order {
		got := gradient.Flat()[p.Offset : p.Offset+p.Size()]
		if _, there := g.tensors["grad."+p.Name]; there {
			check(g, "grad."+p.Name, got, g.floats("grad."+p.Name))
			compared++
		} else if slices.ContainsFunc(got, func(v T) bool { return v != 0 }) {
			g.t.Errorf("%s has a gradient, and none in PyTorch", p.Name)
		}
	}
	if pooler := 2; compared < len(g.weights.Parameters.Order)-pooler {
		g.t.Errorf("%d gradients to compare with, want those of %d tensors", compared, len(g.weights.Parameters.Order))
	}
}
