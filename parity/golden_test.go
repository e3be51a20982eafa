package parity_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"goalbert/internal/numeric"
	"goalbert/models"
	"goalbert/native"
	"goalbert/native/kernel"
)

// The golden files are what PyTorch and transformers compute for tiny random models; tools/golden/README.md lists their
// tensors.
var goldenNames = []string{"base", "gelu", "relu", "silu", "groups", "uneven", "inner"}

// golden is one of them: transformers' checkpoint, and what it computes on one padded batch.
type golden struct {
	t       *testing.T
	dir     string
	weights *models.Weights
	tensors map[string]models.SafeTensor
	rows    int
	length  int
	places  []int // (T): where each attended token stands in (rows, length)
}

func openGolden(t *testing.T, name string) *golden {
	t.Helper()
	g := &golden{t: t, dir: filepath.Join("testdata", name)}
	var err error
	if g.weights, err = models.ReadCheckpoint(g.dir); err != nil {
		t.Fatal(err)
	}
	if g.tensors, err = models.ReadSafetensors(filepath.Join(g.dir, "golden.safetensors")); err != nil {
		t.Fatal(err)
	}
	g.rows, g.length = g.tensors["attention_mask"].Shape[0], g.tensors["attention_mask"].Shape[1]
	for place, attended := range g.integers("attention_mask") {
		if attended == 1 {
			g.places = append(g.places, place)
		}
	}
	return g
}

func (g *golden) integers(name string) []int64 {
	g.t.Helper()
	values, err := g.tensors[name].Int64s()
	if err != nil {
		g.t.Fatalf("%s: %v", name, err)
	}
	return values
}

func (g *golden) floats(name string) []float64 {
	g.t.Helper()
	values, err := g.tensors[name].Float64s()
	if err != nil || len(values) == 0 {
		g.t.Fatalf("%s: %d values, error %v", name, len(values), err)
	}
	return values
}

// attended returns the rows of a (rows, length, columns) tensor at attended places.
func (g *golden) attended(name string) []float64 {
	g.t.Helper()
	values := g.floats(name)
	columns := len(values) / (g.rows * g.length)
	var out []float64
	for _, place := range g.places {
		out = append(out, values[place*columns:(place+1)*columns]...)
	}
	return out
}

// probs returns the attention probabilities of attended queries and keys, sequence by sequence and head by head.
func (g *golden) probs(name string) []float64 {
	values, mask := g.floats(name), g.integers("attention_mask")
	heads := g.weights.Config.NumAttentionHeads
	var out []float64
	for row := range g.rows {
		for head := range heads {
			for query := range g.length {
				for key := range g.length {
					if mask[row*g.length+query] == 1 && mask[row*g.length+key] == 1 {
						out = append(out, values[((row*heads+head)*g.length+query)*g.length+key])
					}
				}
			}
		}
	}
	return out
}

// batch packs the golden batch. Where all is set every token is predicted; otherwise those with a label.
func (g *golden) batch(all bool) *models.Batch {
	b := &models.Batch{Offsets: []int{0}}
	ids, types, labels := g.integers("input_ids"), g.integers("token_type_ids"), g.integers("labels")
	for i, place := range g.places {
		if i > 0 && place/g.length != g.places[i-1]/g.length {
			b.Offsets = append(b.Offsets, i)
		}
		b.InputIDs = append(b.InputIDs, int32(ids[place]))
		b.TokenTypeIDs = append(b.TokenTypeIDs, int32(types[place]))
		b.PositionIDs = append(b.PositionIDs, int32(place%g.length))
		if all || labels[place] != models.IgnoreIndex {
			b.MaskedPositions = append(b.MaskedPositions, int32(i))
			b.MaskedLabels = append(b.MaskedLabels, int32(labels[place]))
		}
	}
	b.Offsets = append(b.Offsets, len(g.places))
	for _, label := range g.integers("sentence_order_label") {
		b.SentenceLabels = append(b.SentenceLabels, int32(label))
	}
	return b
}

// pooled returns the parts of a (rows, columns) tensor whose first position is attended: transformers pools position 0
// even where the mask hides it, and we the first token that is there.
func pooled[T any](g *golden, values []T) []T {
	mask, columns := g.integers("attention_mask"), len(values)/g.rows
	var out []T
	for row := range g.rows {
		if mask[row*g.length] == 1 {
			out = append(out, values[row*columns:(row+1)*columns]...)
		}
	}
	return out
}

// denominators are the numbers of labels.
func denominators(b *models.Batch) models.Denominators {
	d := models.Denominators{MaskedTokens: float64(len(b.MaskedLabels))}
	for _, label := range b.SentenceLabels {
		if label != models.IgnoreIndex {
			d.Sentences++
		}
	}
	return d
}

// check compares got with float64 values, in float64 or rounded to float32.
func check[T kernel.Float](g *golden, name string, got []T, want []float64) {
	g.t.Helper()
	tolerance := numeric.GoldenFloat64
	if _, narrow := any(got).([]float32); narrow {
		tolerance = numeric.GoldenFloat32
	}
	wide := make([]float64, len(got))
	for i, v := range got {
		wide[i] = float64(v)
	}
	numeric.Check(g.t, name, wide, want, tolerance)
}

func TestGoldenActivations(t *testing.T) {
	for _, name := range goldenNames {
		t.Run(name+"/float64", func(t *testing.T) { checkActivations[float64](openGolden(t, name)) })
		t.Run(name+"/float32", func(t *testing.T) { checkActivations[float32](openGolden(t, name)) })
	}
}

func checkActivations[T kernel.Float](g *golden) {
	b := g.batch(true)
	m := native.New[T](g.weights, 2)
	var a native.Activations[T]
	m.Forward(&a, b, native.Dropout{})

	check(g, "embeddings", a.Embeddings.Output, g.attended("embeddings"))
	check(g, "embedding_hidden_mapping_in", a.EmbeddingHiddenMapping, g.attended("embedding_hidden_mapping_in"))
	inner := g.weights.Config.InnerGroupNum
	for i := range a.Layers {
		l, prefix := &a.Layers[i], fmt.Sprintf("layers.%d.%d.", i/inner, i%inner)
		for j, part := range []string{"query", "key", "value"} {
			check(g, prefix+part, columns(l.QueryKeyValue, j, 3, len(g.places)), g.attended(prefix+part))
		}
		check(g, prefix+"attention_probs", m.AttentionProbs(&a, b, i), g.probs(prefix+"attention_probs"))
		check(g, prefix+"context", l.Context, g.attended(prefix+"context"))
		check(g, prefix+"attention_dense", difference(l.Dense.Sum, l.Input), g.attended(prefix+"attention_dense"))
		check(g, prefix+"attention_layer_norm", l.Dense.Output, g.attended(prefix+"attention_layer_norm"))
		check(g, prefix+"ffn", l.FFN, g.attended(prefix+"ffn"))
		check(g, prefix+"ffn_activation", l.FFNActivation, g.attended(prefix+"ffn_activation"))
		check(g, prefix+"ffn_output", difference(l.FullLayer.Sum, l.Dense.Output), g.attended(prefix+"ffn_output"))
		check(g, prefix+"full_layer_layer_norm", l.FullLayer.Output, g.attended(prefix+"full_layer_layer_norm"))
	}
	check(g, "pooler_output", pooled(g, a.Pooler.Output), pooled(g, g.floats("pooler_output")))
	check(g, "predictions_dense", a.PredictionsDense, g.attended("predictions_dense"))
	check(g, "predictions_layer_norm", a.PredictionsActivation.Output, g.attended("predictions_layer_norm"))
	check(g, "prediction_logits", a.PredictionLogits, g.attended("prediction_logits"))
	check(g, "sop_logits", pooled(g, a.SOPLogits), pooled(g, g.floats("sop_logits")))
}

// columns returns part number j of x (rows, columns), whose columns are divided into equal parts.
func columns[T any](x []T, j, parts, rows int) []T {
	width := len(x) / rows / parts
	var out []T
	for row := range rows {
		out = append(out, x[(row*parts+j)*width:][:width]...)
	}
	return out
}

func difference[T kernel.Float](x, y []T) []T {
	out := make([]T, len(x))
	for i := range x {
		out[i] = x[i] - y[i]
	}
	return out
}

func TestGoldenLossesAndGradients(t *testing.T) {
	for _, name := range goldenNames {
		t.Run(name+"/float64", func(t *testing.T) { checkGradients[float64](openGolden(t, name)) })
		t.Run(name+"/float32", func(t *testing.T) { checkGradients[float32](openGolden(t, name)) })
	}
}

func checkGradients[T kernel.Float](g *golden) {
	b := g.batch(false)
	m := native.New[T](g.weights, 2)
	var a native.Activations[T]
	m.Forward(&a, b, native.Dropout{})
	l, d := m.Loss(&a, b), denominators(b)
	check(g, "masked_lm_loss", []T{T(l.MaskedLM / d.MaskedTokens)}, g.floats("masked_lm_loss"))
	check(g, "sentence_order_loss", []T{T(l.Sentence / d.Sentences)}, g.floats("sentence_order_loss"))

	gradient := native.NewGradient(m)
	m.Backward(gradient, &a, b, native.Dropout{}, d)
	for _, p := range g.weights.Parameters.Order {
		check(g, "grad."+p.Name, gradient.Flat()[p.Offset:p.Offset+p.Size()], g.floats("grad."+p.Name))
	}
}

// Ten updates on the golden batch: losses and gradient norms before each, by three rules.
func TestGoldenTraining(t *testing.T) {
	for _, name := range goldenNames {
		for rule, optimizer := range map[string]models.Optimizer{
			"adamw": models.AdamW, "adamw_google": models.AdamW, "lamb": models.LAMB,
		} {
			t.Run(name+"/"+rule, func(t *testing.T) { checkTraining(openGolden(t, name), rule, optimizer) })
		}
	}
}

func checkTraining(g *golden, rule string, optimizer models.Optimizer) {
	v := g.floats("hyperparameters." + rule)
	h := models.Hyperparameters{Optimizer: optimizer, LearningRate: v[0], Beta1: v[1], Beta2: v[2], Epsilon: v[3],
		WeightDecay: v[4], BiasCorrection: v[5] == 1, MaxGradNorm: v[6]}
	b := g.batch(false)
	d := denominators(b)
	e, err := native.NewEngine(g.weights, native.Options{Threads: 2})
	if err != nil {
		g.t.Fatal(err)
	}
	var losses, norms []float64
	for range 10 {
		l, err := e.Accumulate(b, d)
		if err != nil {
			g.t.Fatal(err)
		}
		norm, err := e.Step(h)
		if err != nil {
			g.t.Fatal(err)
		}
		losses = append(losses, l.MaskedLM/d.MaskedTokens+l.Sentence/d.Sentences)
		norms = append(norms, norm)
	}
	numeric.Check(g.t, "losses", losses, g.floats("losses."+rule), numeric.TrainingLoss32)
	numeric.Check(g.t, "gradient norms", norms, g.floats("grad_norms."+rule), numeric.TrainingNorm32)
	if _, kept := g.tensors["final."+rule+"."+g.weights.Parameters.Order[0].Name]; !kept {
		return
	}
	for _, p := range g.weights.Parameters.Order {
		// The softmax does not see key biases: their gradient is rounding, which the moments divide by itself.
		if !strings.HasSuffix(p.Name, "attention.key.bias") {
			numeric.Check(g.t, "final."+p.Name, g.weights.Tensor(p), narrow(g.floats("final."+rule+"."+p.Name)), numeric.TrainedWeights32)
		}
	}
}

func narrow(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}

// What transformers wrote, written by us and read again, is the same tensors under the same names, and a configuration
// that says the same.
func TestGoldenCheckpointRoundTrip(t *testing.T) {
	for _, name := range goldenNames {
		g := openGolden(t, name)
		dir := filepath.Join(t.TempDir(), name)
		if err := models.WriteDirectory(dir, g.weights.WriteFiles); err != nil {
			t.Fatal(err)
		}
		theirs, err := models.ReadSafetensors(filepath.Join(g.dir, models.WeightsFile))
		if err != nil {
			t.Fatal(err)
		}
		ours, err := models.ReadSafetensors(filepath.Join(dir, models.WeightsFile))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := slices.Sorted(maps.Keys(ours)), slices.Sorted(maps.Keys(theirs)); !slices.Equal(got, want) {
			t.Errorf("%s: got tensors %v, want %v", name, got, want)
		}
		for tensor := range theirs {
			if !ours[tensor].Equal(theirs[tensor]) {
				t.Errorf("%s: tensor %s differs from what transformers wrote", name, tensor)
			}
		}
		config, err := models.ReadConfig(dir)
		if err != nil || config != g.weights.Config {
			t.Errorf("%s: got configuration %+v, error %v; want %+v", name, config, err, g.weights.Config)
		}
	}
}
