package models

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
)

// Weights are the numbers of a model, in the table's flat order.
type Weights struct {
	Config     Config
	Parameters *Parameters
	Data       []float32 // (Parameters.Size)
}

// NewWeights returns the weights of a model of configuration c, all zero.
func NewWeights(c Config) *Weights {
	p := NewParameters(c)
	return &Weights{Config: c, Parameters: p, Data: make([]float32, p.Size)}
}

// Tensor returns the numbers of p, without a copy.
func (w *Weights) Tensor(p *Parameter) []float32 { return w.Data[p.Offset : p.Offset+p.Size()] }

// Initialize draws the weights that a training starts from: Google's truncated normal. A tensor's numbers depend on
// the seed and its name alone.
func (w *Weights) Initialize(seed uint64) {
	for _, p := range w.Parameters.Order {
		w.initialize(p, seed)
	}
}

func (w *Weights) initialize(p *Parameter, seed uint64) {
	data := w.Tensor(p)
	switch p.Initializer {
	case Zeros:
		clear(data)
	case Ones:
		for i := range data {
			data[i] = 1
		}
	case TruncatedNormal, WordEmbeddings:
		fillTruncatedNormal(data, w.Config.InitializerRange, seed, p.Name)
	}
	if p.Initializer == WordEmbeddings {
		e := p.Shape[1]
		clear(data[w.Config.PadTokenID*e : (w.Config.PadTokenID+1)*e])
	}
}

func fillTruncatedNormal(data []float32, std float64, seed uint64, name string) {
	h := fnv.New64a()
	h.Write([]byte(name))
	random := rand.New(rand.NewPCG(seed, h.Sum64()))
	for i := range data {
		x := random.NormFloat64()
		for x < -2 || x > 2 {
			x = random.NormFloat64()
		}
		data[i] = float32(std * x)
	}
}

// As returns the weights of another architecture, all of whose tensors must be in w.
func (w *Weights) As(a Architecture) (*Weights, error) {
	c, from, err := w.as(a)
	if err != nil {
		return nil, err
	}
	other := NewWeights(c)
	for i, p := range other.Parameters.Order {
		copy(other.Tensor(p), w.Tensor(from[i]))
	}
	return other, nil
}

// as returns the configuration of another architecture, and for each of its parameters the one of w that it is.
func (w *Weights) as(a Architecture) (Config, []*Parameter, error) {
	c := w.Config.As(a)
	if err := c.Validate(); err != nil {
		return c, nil, fmt.Errorf("models: %w", err)
	}
	bare := func(p *Parameter) string { return strings.TrimPrefix(p.Name, encoderPrefix) }
	there := map[string]*Parameter{}
	for _, p := range w.Parameters.Order {
		there[bare(p)] = p
	}
	others := NewParameters(c)
	from := make([]*Parameter, len(others.Order))
	for i, p := range others.Order {
		from[i] = there[bare(p)]
		if from[i] == nil || !slices.Equal(from[i].Shape, p.Shape) || w.Config.Architecture != a && p.task(others) {
			return c, nil, fmt.Errorf("models: %w", untrained(w.Config.Architecture, p, a))
		}
	}
	return c, from, nil
}

// untrained is why a model of one architecture cannot be used as another.
func untrained(is Architecture, p *Parameter, wanted Architecture) error {
	return fmt.Errorf("an %s has no trained %s, which an %s needs; train one for it", is, p.Name, wanted)
}

// task reports whether p is of a task's classifier, which means another thing in another architecture.
func (p *Parameter) task(all *Parameters) bool {
	return all.Classifier != nil && (p == all.Classifier.Weight || p == all.Classifier.Bias)
}

// Tensors returns w as the tensors of a checkpoint, in the table's order.
func (w *Weights) Tensors() []NamedTensor {
	tensors := make([]NamedTensor, len(w.Parameters.Order))
	for i, p := range w.Parameters.Order {
		tensors[i] = NamedTensor{Name: p.Name, Shape: p.Shape, Data: w.Tensor(p)}
	}
	return tensors
}
