package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"goalbert/export"
	"goalbert/models"
)

// scales are the two ways of rounding a matrix that are compared: with one for each output, and with one for all.
var scales = []struct {
	name      string
	perTensor bool
}{{"a scale a column", false}, {"a scale a matrix", true}}

// intOptions are those of an int8 file whose weights have that many bits, 8 or 7, but for the matrices that are kept.
func intOptions(perTensor bool, bits int, keep ...string) export.Options {
	o := export.Options{Precision: export.INT8, PerTensor: perTensor, Keep: keep}
	if bits == 8 {
		o.Target = export.VNNI
	}
	return o
}

// measure prints the tables of those names.
func (b *table) measure(ctx context.Context, w *models.Weights, names []string) error {
	parts := map[string]func(context.Context, *models.Weights) error{
		"whole": b.whole, "alone": b.alone, "depths": b.depths, "outliers": b.outliers, "saturation": b.saturation,
	}
	for _, name := range names {
		part, ok := parts[name]
		if !ok {
			return fmt.Errorf("table is %q, want whole, alone, depths, outliers or saturation", name)
		}
		if err := part(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// whole has every matrix in int8, and all but the embeddings.
func (b *table) whole(ctx context.Context, w *models.Weights) error {
	if err := b.section(ctx, "Every matrix", w); err != nil {
		return err
	}
	var embeddings []string
	for _, p := range export.Matrices(w.Config) {
		if strings.Contains(p.Name, "embeddings.") {
			embeddings = append(embeddings, p.Name)
		}
	}
	for _, s := range scales {
		for _, bits := range []int{8, 7} {
			name := fmt.Sprintf("%s, %d bits", s.name, bits)
			if err := b.row(ctx, name, w, intOptions(s.perTensor, bits), nil); err != nil {
				return err
			}
			if err := b.row(ctx, name+", embeddings fp32", w, intOptions(s.perTensor, bits, embeddings...), nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// alone has each matrix in int8, and all others in fp32.
func (b *table) alone(ctx context.Context, w *models.Weights) error {
	if err := b.section(ctx, "One matrix alone, eight bits", w); err != nil {
		return err
	}
	var names []string
	for _, p := range export.Matrices(w.Config) {
		names = append(names, p.Name)
	}
	for _, name := range names {
		others := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == name })
		for _, s := range scales {
			if err := b.row(ctx, fmt.Sprintf("%s, %s", shortName(name), s.name), w, intOptions(s.perTensor, 8, others...), nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// shortName is a parameter's without the path to it.
func shortName(name string) string {
	for _, prefix := range []string{"albert.encoder.albert_layer_groups.0.albert_layers.0.", "albert.encoder.", "albert."} {
		name = strings.TrimPrefix(name, prefix)
	}
	return strings.TrimSuffix(name, ".weight")
}

// depths applies the shared layer less often than the model was trained for: the scores say little, how far int8 is from fp32
// of the same depth says whether errors add up.
func (b *table) depths(ctx context.Context, w *models.Weights) error {
	for depth := 1; depth <= w.Config.NumHiddenLayers; depth++ {
		if depth > 4 && depth%2 == 1 {
			continue
		}
		shallow := withLayers(w, depth)
		if err := b.section(ctx, fmt.Sprintf("Layers applied: %d", depth), shallow); err != nil {
			return err
		}
		for _, s := range scales {
			if err := b.row(ctx, s.name, shallow, intOptions(s.perTensor, 8), nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// withLayers is a copy of w whose shared layer is applied that often.
func withLayers(w *models.Weights, layers int) *models.Weights {
	c := w.Config
	c.NumHiddenLayers = layers
	return copyOf(w, c)
}

func copyOf(w *models.Weights, c models.Config) *models.Weights {
	other := models.NewWeights(c)
	for i, p := range other.Parameters.Order {
		copy(other.Tensor(p), w.Tensor(w.Parameters.Order[i]))
	}
	return other
}
