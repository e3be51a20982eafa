package native

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"

	"goalbert/models"
	"goalbert/native"
	"goalbert/runtime"
)

// Session is a model in memory.
type Session struct {
	model       *native.Model[float32]
	tensors     bool      // whether intermediate values are outputs
	activations sync.Pool // of *native.Activations[float32], one for each concurrent run
}

var _ runtime.Session = (*Session)(nil)

// New returns a session on w, which runs on that many threads. w must not change while the session is used.
func New(w *models.Weights, threads int) *Session {
	s := &Session{model: native.New[float32](w, threads)}
	s.activations.New = func() any { return new(native.Activations[float32]) }
	return s
}

// NewWithTensors is New with the intermediate values that models.Config.Tensors lists as further outputs. A run keeps all
// layers in memory.
func NewWithTensors(w *models.Weights, threads int) *Session {
	s := New(w, threads)
	s.tensors = true
	return s
}

// Open returns a session on the checkpoint directory dir, and what models.ReadModel says of its tensors.
func Open(dir string, threads int) (*Session, models.Loaded, error) {
	w, loaded, err := models.ReadModel(dir, "")
	if err != nil {
		return nil, loaded, err
	}
	return New(w, threads), loaded, nil
}

// Engine returns "native".
func (s *Session) Engine() string { return "native" }

// Inputs returns the names of the exported file's inputs.
func (s *Session) Inputs() []string { return s.model.Config.Architecture.Inputs() }

// Outputs returns the names of the exported file's outputs, the one that is there on request too.
func (s *Session) Outputs() []string {
	names := s.model.Config.Architecture.Outputs()
	if s.model.Config.Architecture == models.BaseModel {
		names = append(slices.Clone(names), models.SentenceEmbedding)
	}
	if s.tensors {
		names = slices.Concat(names, s.model.Config.Tensors())
	}
	return names
}

// Close does nothing: the memory is the collector's.
func (s *Session) Close() error { return nil }

// Run computes all outputs; see runtime.Session. Positions that the mask hides get zeros.
func (s *Session) Run(ctx context.Context, inputs map[string]runtime.Tensor) (map[string]runtime.Tensor, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p, err := pack(s.model.Config, inputs)
	if err != nil {
		return nil, fmt.Errorf("native: %w", err)
	}
	a := s.activations.Get().(*native.Activations[float32])
	defer s.activations.Put(a)
	if s.tensors {
		s.model.Forward(a, p.batch, native.Dropout{})
	} else {
		s.model.Infer(a, p.batch)
	}

	outputs := map[string]runtime.Tensor{}
	if s.tensors {
		s.addTensors(outputs, p, a)
	}
	for _, name := range s.Outputs() {
		if _, there := outputs[name]; !there {
			outputs[name] = s.output(name, p, a)
		}
	}
	return outputs, nil
}

// output returns one output in the shape that it has in an exported file.
func (s *Session) output(name string, p *packed, a *native.Activations[float32]) runtime.Tensor {
	c := s.model.Config
	perSequence := func(rows []float32) runtime.Tensor {
		return runtime.NewTensor(slices.Clone(rows), p.sequences, len(rows)/p.sequences)
	}
	switch name {
	case models.SOPLogits:
		return perSequence(a.SOPLogits)
	case models.PoolerOutput:
		return perSequence(a.Pooler.Output)
	case models.SentenceEmbedding:
		return perSequence(meanPooled(p.batch, a.LastHiddenState, c.HiddenSize))
	case models.LastHiddenState:
		return p.unpack(a.LastHiddenState, c.HiddenSize)
	case models.StartLogits, models.EndLogits:
		return p.unpackAnswers(a.Logits, name)
	case models.PredictionLogits:
		return p.unpack(a.PredictionLogits, c.VocabSize)
	}
	switch c.Architecture {
	case models.ForMaskedLM:
		return p.unpack(a.PredictionLogits, c.VocabSize)
	case models.ForTokenClassification:
		return p.unpack(a.Logits, len(a.Logits)/len(p.places))
	case models.ForMultipleChoice:
		return runtime.NewTensor(slices.Clone(a.Logits), p.shape[:2]...)
	}
	return perSequence(a.Logits)
}

// meanPooled returns, for each sequence, the mean of its hidden states, of length 1.
func meanPooled(b *models.Batch, hidden []float32, h int) []float32 {
	out := make([]float32, b.Sequences()*h)
	for i := range b.Sequences() {
		sums, squares := make([]float64, h), 0.0
		for row := b.Offsets[i]; row < b.Offsets[i+1]; row++ {
			for j, v := range hidden[row*h : (row+1)*h] {
				sums[j] += float64(v)
			}
		}
		for _, v := range sums {
			squares += v * v
		}
		for j, v := range sums {
			out[i*h+j] = float32(v / math.Sqrt(squares)) // the mean's division cancels
		}
	}
	return out
}

// packed is a padded batch without its padding.
type packed struct {
	batch             *models.Batch
	sequences, length int   // of the padded batch
	shape             []int // of the inputs; of multiple choice the choices are sequences too
	places            []int // (T): where each token stood in it
}

// pack gathers the attended tokens. Every one is a masked position, so that logits are computed for all.
func pack(c models.Config, inputs map[string]runtime.Tensor) (*packed, error) {
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		if !slices.Contains(c.Architecture.Inputs(), name) {
			return nil, fmt.Errorf("the model has no input %s; it has %v", name, c.Architecture.Inputs())
		}
	}
	columns := map[string][]int64{}
	p := &packed{batch: &models.Batch{Offsets: []int{0}}}
	for _, name := range c.Architecture.Inputs() {
		t, ok := inputs[name]
		if !ok {
			return nil, fmt.Errorf("input %s is missing", name)
		}
		values, err := runtime.Values[int64](name, t)
		if err != nil {
			return nil, err
		}
		if err := checkShape(c, name, t.Shape); err != nil {
			return nil, err
		}
		size := 1
		for _, d := range t.Shape {
			size *= d
		}
		if len(values) != size {
			return nil, fmt.Errorf("input %s holds %d elements, want those of its shape %v", name, len(values), t.Shape)
		}
		if name == models.InputIDs {
			p.shape, p.length = t.Shape, t.Shape[len(t.Shape)-1]
			p.sequences = len(values) / p.length
		} else if !slices.Equal(t.Shape, p.shape) {
			return nil, fmt.Errorf("input %s has shape %v, want that of %s, %v", name, t.Shape, models.InputIDs, p.shape)
		}
		columns[name] = values
	}
	if p.length > c.MaxPositionEmbeddings {
		return nil, fmt.Errorf("sequences of %d tokens, the model takes at most %d (max_position_embeddings); "+
			"truncate them", p.length, c.MaxPositionEmbeddings)
	}
	return p, p.gather(c, columns)
}

// checkShape refuses an input that is not (batch, sequence), or (batch, choices, sequence) of multiple choice.
func checkShape(c models.Config, name string, shape []int) error {
	axes, want := 2, "(batch, sequence)"
	if c.Architecture == models.ForMultipleChoice {
		axes, want = 3, "(batch, choices, sequence)"
	}
	if len(shape) != axes || slices.Min(shape) < 1 {
		return fmt.Errorf("input %s has shape %v, want %s, at least one of each", name, shape, want)
	}
	return nil
}

func (p *packed) gather(c models.Config, columns map[string][]int64) error {
	b := p.batch
	for row := range p.sequences {
		for position := range p.length {
			i := row*p.length + position
			switch mask := columns[models.AttentionMask][i]; mask {
			case 0:
				continue
			case 1:
			default:
				return fmt.Errorf("%s is %d at (%d, %d), want 0 or 1", models.AttentionMask, mask, row, position)
			}
			id, tokenType := columns[models.InputIDs][i], columns[models.TokenTypeIDs][i]
			if id < 0 || id >= int64(c.VocabSize) || tokenType < 0 || tokenType >= int64(c.TypeVocabSize) {
				return fmt.Errorf("token (%d, %d) has id %d and type %d, want them below %d and %d",
					row, position, id, tokenType, c.VocabSize, c.TypeVocabSize)
			}
			b.MaskedPositions = append(b.MaskedPositions, int32(len(p.places)))
			p.places = append(p.places, i)
			b.InputIDs = append(b.InputIDs, int32(id))
			b.TokenTypeIDs = append(b.TokenTypeIDs, int32(tokenType))
			b.PositionIDs = append(b.PositionIDs, int32(position))
		}
		if len(p.places) == b.Offsets[row] {
			return fmt.Errorf("%s of row %d is all zero; leave the row out", models.AttentionMask, row)
		}
		b.Offsets = append(b.Offsets, len(p.places))
	}
	return nil
}

// unpackAnswers puts the start or the end logits of rows (T, 2) in their places of (batch, sequence).
func (p *packed) unpackAnswers(rows []float32, name string) runtime.Tensor {
	column := 0
	if name == models.EndLogits {
		column = 1
	}
	out := make([]float32, p.sequences*p.length)
	for i, place := range p.places {
		out[place] = rows[2*i+column]
	}
	return runtime.NewTensor(out, p.sequences, p.length)
}

// unpack puts rows (T, columns) in their places of (batch, sequence, columns).
func (p *packed) unpack(rows []float32, columns int) runtime.Tensor {
	out := make([]float32, p.sequences*p.length*columns)
	for i, place := range p.places {
		copy(out[place*columns:(place+1)*columns], rows[i*columns:])
	}
	return runtime.NewTensor(out, p.sequences, p.length, columns)
}
