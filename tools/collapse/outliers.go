package main

import (
	"context"
	"fmt"

	"goalbert/export"
	"goalbert/models"
)

// outlier is a way to put large weights into a matrix and small ones into another without changing what both compute.
type outlier struct {
	name string
	put  func(w *models.Weights, scale float32)
}

// channel is the one that is scaled.
const channel = 3

// outlierKinds are the places where a shared layer admits it. The first leaves all activations that are rounded as they are; the
// second makes one of them large; in the third it is the inputs of a matrix that have small and large weights.
var outlierKinds = []outlier{
	{"an output of query, key divided", func(w *models.Weights, s float32) {
		l := w.Parameters.LayerGroups[0][0]
		scaleOutput(w, l.Query, s)
		scaleOutput(w, l.Key, 1/s)
	}},
	{"an output of value, dense divided", func(w *models.Weights, s float32) {
		l := w.Parameters.LayerGroups[0][0]
		scaleOutput(w, l.Value, s)
		scaleInput(w, l.Dense.Weight, 1/s)
	}},
	{"an input of the mapping, the norm before it divided", func(w *models.Weights, s float32) {
		norm := w.Parameters.Embeddings.LayerNorm
		for _, p := range []*models.Parameter{norm.Weight, norm.Bias} {
			w.Tensor(p)[channel] /= s
		}
		scaleInput(w, w.Parameters.EmbeddingHiddenMapping.Weight, s)
	}},
}

// scaleOutput multiplies one row of a linear, and its bias.
func scaleOutput(w *models.Weights, l models.Linear, s float32) {
	columns := l.Weight.Shape[1]
	row := w.Tensor(l.Weight)[channel*columns : (channel+1)*columns]
	for i := range row {
		row[i] *= s
	}
	w.Tensor(l.Bias)[channel] *= s
}

// scaleInput multiplies one column of a matrix.
func scaleInput(w *models.Weights, p *models.Parameter, s float32) {
	all := w.Tensor(p)
	for at := channel; at < len(all); at += p.Shape[1] {
		all[at] *= s
	}
}

// outliers has weights that compute the same in fp32, to the rounding that the row fp32 of each table shows.
func (b *table) outliers(ctx context.Context, w *models.Weights) error {
	for _, kind := range outlierKinds {
		if err := b.section(ctx, "Outliers: "+kind.name, w); err != nil {
			return err
		}
		for _, scale := range []float32{8, 64, 512} { // powers of 2 are exact
			other := copyOf(w, w.Config)
			kind.put(other, scale)
			r, err := b.outputs(ctx, other, export.Options{}, nil)
			if err != nil {
				return err
			}
			b.print(fmt.Sprintf("%v times, fp32", scale), r)
			for _, s := range scales {
				if err := b.row(ctx, fmt.Sprintf("%v times, %s", scale, s.name), other, intOptions(s.perTensor, 8), nil); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
