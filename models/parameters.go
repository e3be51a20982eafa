package models

import "fmt"

// Parameter is one tensor of a model.
type Parameter struct {
	Name        string // in the checkpoint
	Shape       []int  // linears are (out, in)
	Initializer Initializer
	Decayed     bool // whether weight decay applies: to matrices and embeddings, not to biases and norms
	Offset      int  // of its first scalar in the flat order
}

// Initializer says how a parameter starts.
type Initializer int

const (
	Zeros Initializer = iota
	Ones
	TruncatedNormal // of InitializerRange, cut at two standard deviations
	WordEmbeddings  // the same, but the row of <pad> is zero
)

// Size returns the number of scalars of p.
func (p *Parameter) Size() int {
	size := 1
	for _, d := range p.Shape {
		size *= d
	}
	return size
}

// Linear is y = xWᵀ + b with weight (out, in) and bias (out).
type Linear struct{ Weight, Bias *Parameter }

// LayerNorm is a layer normalization's weight and bias.
type LayerNorm struct{ Weight, Bias *Parameter }

// EmbeddingParameters are the three tables, each (rows, E), and the norm over their sum.
type EmbeddingParameters struct {
	Word, Position, TokenType *Parameter
	LayerNorm                 LayerNorm
}

// LayerParameters are those of one encoder layer.
type LayerParameters struct {
	Query, Key, Value  Linear // side by side in memory, weights as one (3H, H), biases as one (3H)
	Dense              Linear
	AttentionLayerNorm LayerNorm
	FFN, FFNOutput     Linear
	FullLayerLayerNorm LayerNorm
}

// Map returns l with f of each parameter in its place.
func (l LayerParameters) Map(f func(*Parameter) *Parameter) LayerParameters {
	linear := func(x Linear) Linear { return Linear{f(x.Weight), f(x.Bias)} }
	norm := func(x LayerNorm) LayerNorm { return LayerNorm{f(x.Weight), f(x.Bias)} }
	return LayerParameters{
		Query:              linear(l.Query),
		Key:                linear(l.Key),
		Value:              linear(l.Value),
		Dense:              linear(l.Dense),
		AttentionLayerNorm: norm(l.AttentionLayerNorm),
		FFN:                linear(l.FFN),
		FFNOutput:          linear(l.FFNOutput),
		FullLayerLayerNorm: norm(l.FullLayerLayerNorm),
	}
}

// PredictionParameters are those of the masked-LM head, whose decoder is the word embeddings.
type PredictionParameters struct {
	Dense     Linear
	LayerNorm LayerNorm
	Bias      *Parameter
}

// Parameters is the table of all parameters of a model, by place and by order.
type Parameters struct {
	Embeddings             EmbeddingParameters
	EmbeddingHiddenMapping Linear
	LayerGroups            [][]LayerParameters   // (G, inner)
	Pooler                 *Linear               // nil where the architecture has none
	Predictions            *PredictionParameters // nil where the architecture has none
	SOPClassifier          *Linear               // nil where the architecture has none
	Classifier             *Linear               // of the tasks; nil where the architecture has none

	Order       []*Parameter // the flat order: decayed ones first, each part in the order of the model
	Size        int          // scalars in all
	DecayedSize int          // scalars of the decayed ones: the flat order's first DecayedSize
}

// NewParameters returns the table of a model of configuration c. Names are those of transformers' state_dict.
func NewParameters(c Config) *Parameters {
	t := &table{}
	p := &Parameters{}
	head, prefix := c.Architecture.head(), encoderPrefix
	if c.Architecture == BaseModel {
		prefix = ""
	}
	p.Embeddings = t.embeddings(prefix+"embeddings.", c)
	p.EmbeddingHiddenMapping = t.linear(prefix+"encoder.embedding_hidden_mapping_in", c.HiddenSize, c.EmbeddingSize)
	for g := range c.NumHiddenGroups {
		group := make([]LayerParameters, c.InnerGroupNum)
		for j := range group {
			group[j] = t.layer(fmt.Sprintf(prefix+"encoder.albert_layer_groups.%d.albert_layers.%d.", g, j), c)
		}
		p.LayerGroups = append(p.LayerGroups, group)
	}
	if head.pooler {
		pooler := t.linear(prefix+"pooler", c.HiddenSize, c.HiddenSize)
		p.Pooler = &pooler
	}
	if head.predictions {
		p.Predictions = t.predictions(c)
	}
	if head.sentenceOrder {
		classifier := t.linear("sop_classifier.classifier", 2, c.HiddenSize)
		p.SOPClassifier = &classifier
	}
	if head.classifier != "" {
		classifier := t.linear(head.classifier, c.classes(), c.HiddenSize)
		p.Classifier = &classifier
	}
	p.place(t.all)
	return p
}

// encoderPrefix begins the names of what is not a head, in every architecture that has one.
const encoderPrefix = "albert."

// IsTable reports whether rows of q are looked up.
func (p *Parameters) IsTable(q *Parameter) bool {
	return q == p.Embeddings.Word || q == p.Embeddings.Position || q == p.Embeddings.TokenType
}

// Norms returns the parameters of all norms.
func (p *Parameters) Norms() map[*Parameter]bool {
	norms := map[*Parameter]bool{}
	add := func(l LayerNorm) { norms[l.Weight], norms[l.Bias] = true, true }
	add(p.Embeddings.LayerNorm)
	for _, group := range p.LayerGroups {
		for _, l := range group {
			add(l.AttentionLayerNorm)
			add(l.FullLayerLayerNorm)
		}
	}
	if p.Predictions != nil {
		add(p.Predictions.LayerNorm)
	}
	return norms
}

// tied maps a name that some files hold beside its twin to the parameter that it equals; both without the encoder's
// prefix.
var tied = map[string]string{
	"predictions.decoder.weight": "embeddings.word_embeddings.weight",
	"predictions.decoder.bias":   "predictions.bias",
}

// derived are tensors of old files that follow from the configuration.
var derived = map[string]bool{"embeddings.position_ids": true, "embeddings.token_type_ids": true}

// place gives every parameter its offset: one contiguous range of decayed ones, then one of the others.
func (p *Parameters) place(all []*Parameter) {
	for _, decayed := range []bool{true, false} {
		for _, q := range all {
			if q.Decayed == decayed {
				q.Offset = p.Size
				p.Size += q.Size()
				p.Order = append(p.Order, q)
			}
		}
		if decayed {
			p.DecayedSize = p.Size
		}
	}
}

// table collects parameters in the order of the model.
type table struct{ all []*Parameter }

func (t *table) add(name string, init Initializer, decayed bool, shape ...int) *Parameter {
	p := &Parameter{Name: name, Shape: shape, Initializer: init, Decayed: decayed}
	t.all = append(t.all, p)
	return p
}

func (t *table) linear(name string, out, in int) Linear {
	return Linear{
		Weight: t.add(name+".weight", TruncatedNormal, true, out, in),
		Bias:   t.add(name+".bias", Zeros, false, out),
	}
}

func (t *table) layerNorm(name string, size int) LayerNorm {
	return LayerNorm{
		Weight: t.add(name+".weight", Ones, false, size),
		Bias:   t.add(name+".bias", Zeros, false, size),
	}
}

func (t *table) embeddings(name string, c Config) EmbeddingParameters {
	e := c.EmbeddingSize
	return EmbeddingParameters{
		Word:      t.add(name+"word_embeddings.weight", WordEmbeddings, true, c.VocabSize, e),
		Position:  t.add(name+"position_embeddings.weight", TruncatedNormal, true, c.MaxPositionEmbeddings, e),
		TokenType: t.add(name+"token_type_embeddings.weight", TruncatedNormal, true, c.TypeVocabSize, e),
		LayerNorm: t.layerNorm(name+"LayerNorm", e),
	}
}

func (t *table) layer(name string, c Config) LayerParameters {
	h, i := c.HiddenSize, c.IntermediateSize
	return LayerParameters{
		Query:              t.linear(name+"attention.query", h, h),
		Key:                t.linear(name+"attention.key", h, h),
		Value:              t.linear(name+"attention.value", h, h),
		Dense:              t.linear(name+"attention.dense", h, h),
		AttentionLayerNorm: t.layerNorm(name+"attention.LayerNorm", h),
		FFN:                t.linear(name+"ffn", i, h),
		FFNOutput:          t.linear(name+"ffn_output", h, i),
		FullLayerLayerNorm: t.layerNorm(name+"full_layer_layer_norm", h),
	}
}

func (t *table) predictions(c Config) *PredictionParameters {
	return &PredictionParameters{
		Dense:     t.linear("predictions.dense", c.EmbeddingSize, c.HiddenSize),
		LayerNorm: t.layerNorm("predictions.LayerNorm", c.EmbeddingSize),
		Bias:      t.add("predictions.bias", Zeros, false, c.VocabSize),
	}
}
