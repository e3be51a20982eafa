package native

import (
	"goalbert/models"
	"goalbert/native/kernel"
)

// parameters are a model's tensors as views into one flat slice, be it of weights or of their gradients.
type parameters[T kernel.Float] struct {
	flat []T // in the order of models.Parameters

	word, position, tokenType []T // (V, E), (positions, E), (types, E)
	embeddingLayerNorm        layerNorm[T]
	embeddingHiddenMapping    linear[T]
	groups                    [][]layer[T] // (G, inner)
	pooler                    linear[T]
	predictionsDense          linear[T]
	predictionsLayerNorm      layerNorm[T]
	decoder                   linear[T] // word (V, E), tied, with a bias of its own
	sopClassifier             linear[T]
	classifier                linear[T]
}

// layer is one encoder layer's tensors. Query, key and value are one linear of three times the width.
type layer[T kernel.Float] struct {
	queryKeyValue      linear[T] // (3H, H)
	dense              linear[T] // (H, H)
	attentionLayerNorm layerNorm[T]
	ffn                linear[T] // (I, H)
	ffnOutput          linear[T] // (H, I)
	fullLayerLayerNorm layerNorm[T]
}

// view finds the tensors of table in flat.
func view[T kernel.Float](table *models.Parameters, flat []T) *parameters[T] {
	slice := func(p *models.Parameter) []T { return flat[p.Offset : p.Offset+p.Size()] }
	toLinear := func(l models.Linear) linear[T] {
		return linear[T]{weight: slice(l.Weight), bias: slice(l.Bias)}
	}
	toNorm := func(n models.LayerNorm) layerNorm[T] {
		return layerNorm[T]{weight: slice(n.Weight), bias: slice(n.Bias)}
	}
	toLayer := func(l models.LayerParameters) layer[T] {
		w, b := l.Query.Weight, l.Query.Bias
		return layer[T]{
			queryKeyValue: linear[T]{
				weight: flat[w.Offset : w.Offset+3*w.Size()],
				bias:   flat[b.Offset : b.Offset+3*b.Size()],
			},
			dense:              toLinear(l.Dense),
			attentionLayerNorm: toNorm(l.AttentionLayerNorm),
			ffn:                toLinear(l.FFN),
			ffnOutput:          toLinear(l.FFNOutput),
			fullLayerLayerNorm: toNorm(l.FullLayerLayerNorm),
		}
	}
	p := &parameters[T]{
		flat:                   flat,
		word:                   slice(table.Embeddings.Word),
		position:               slice(table.Embeddings.Position),
		tokenType:              slice(table.Embeddings.TokenType),
		embeddingLayerNorm:     toNorm(table.Embeddings.LayerNorm),
		embeddingHiddenMapping: toLinear(table.EmbeddingHiddenMapping),
	}
	for _, group := range table.LayerGroups {
		layers := make([]layer[T], len(group))
		for j, l := range group {
			layers[j] = toLayer(l)
		}
		p.groups = append(p.groups, layers)
	}
	if table.Pooler != nil {
		p.pooler = toLinear(*table.Pooler)
	}
	if table.Predictions != nil {
		p.predictionsDense = toLinear(table.Predictions.Dense)
		p.predictionsLayerNorm = toNorm(table.Predictions.LayerNorm)
		p.decoder = linear[T]{weight: p.word, bias: slice(table.Predictions.Bias)}
	}
	if table.SOPClassifier != nil {
		p.sopClassifier = toLinear(*table.SOPClassifier)
	}
	if table.Classifier != nil {
		p.classifier = toLinear(*table.Classifier)
	}
	return p
}

// eachLinear calls do with every linear that the model has, those of the heads last.
func (p *parameters[T]) eachLinear(do func(l *linear[T])) {
	p.eachEncoderLinear(do)
	p.eachHeadLinear(do)
}

// encoderLinears returns how many of them are of no head.
func (p *parameters[T]) encoderLinears() (n int) {
	p.eachEncoderLinear(func(*linear[T]) { n++ })
	return n
}

func (p *parameters[T]) eachEncoderLinear(do func(l *linear[T])) {
	do(&p.embeddingHiddenMapping)
	for i := range p.groups {
		for j := range p.groups[i] {
			l := &p.groups[i][j]
			do(&l.queryKeyValue)
			do(&l.dense)
			do(&l.ffn)
			do(&l.ffnOutput)
		}
	}
}

func (p *parameters[T]) eachHeadLinear(do func(l *linear[T])) {
	for _, l := range []*linear[T]{&p.pooler, &p.predictionsDense, &p.decoder, &p.sopClassifier, &p.classifier} {
		if l.weight != nil {
			do(l)
		}
	}
}
