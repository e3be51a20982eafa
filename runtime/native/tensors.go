package native

import (
	"goalbert/models"
	"goalbert/native"
	"goalbert/runtime"
)

// addTensors adds the intermediate values to the outputs.
func (s *Session) addTensors(outputs map[string]runtime.Tensor, p *packed, a *native.Activations[float32]) {
	h := s.model.Config.HiddenSize
	outputs[models.EmbeddingsOutput] = p.unpack(a.Embeddings.Output, s.model.Config.EmbeddingSize)
	outputs[models.EmbeddingsHidden] = p.unpack(a.EmbeddingHiddenMapping, h)
	for i := range a.Layers {
		l := &a.Layers[i]
		for part, rows := range map[string][]float32{
			models.Query:       columns(l.QueryKeyValue, 0, h),
			models.Key:         columns(l.QueryKeyValue, 1, h),
			models.Value:       columns(l.QueryKeyValue, 2, h),
			models.Context:     l.Context,
			models.FFNOutput:   difference(l.FullLayer.Sum, l.Dense.Output),
			models.LayerOutput: l.FullLayer.Output,
		} {
			outputs[models.LayerTensor(i, part)] = p.unpack(rows, h)
		}
	}
}

// columns returns part number j, of width columns, of query, key and value side by side.
func columns(x []float32, j, width int) []float32 {
	out := make([]float32, 0, len(x)/3)
	for at := j * width; at < len(x); at += 3 * width {
		out = append(out, x[at:at+width]...)
	}
	return out
}

// difference returns what the residual added to y.
func difference(sum, y []float32) []float32 {
	out := make([]float32, len(sum))
	for i := range sum {
		out[i] = sum[i] - y[i]
	}
	return out
}
