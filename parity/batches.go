package parity

import (
	"fmt"
	"math/rand/v2"

	"goalbert/models"
	"goalbert/runtime"
)

// Sequence is the ids of one input with its special tokens.
type Sequence struct{ InputIDs, TokenTypeIDs []int32 }

// Batch is a padded batch to be run by every engine.
type Batch struct {
	Name   string
	Inputs map[string]runtime.Tensor
	mask   []int64 // (rows, length)
	length int
}

// Batches arranges sequences, each of at least one token, in all the ways that an attention mask can: each alone and
// whole, then all together padded on the right, padded on the left, and padded on the right with a hole, the second
// token hidden, in those that have three. pad is the id in hidden places.
func Batches(sequences []Sequence, pad int) []Batch {
	longest := 0
	for _, s := range sequences {
		longest = max(longest, len(s.InputIDs))
	}
	right := func(Sequence) int { return 0 }
	left := func(s Sequence) int { return longest - len(s.InputIDs) }
	var batches []Batch
	for _, s := range sequences {
		name := fmt.Sprintf("alone, %d tokens", len(s.InputIDs))
		batches = append(batches, newBatch(name, []Sequence{s}, len(s.InputIDs), pad, right))
	}
	if len(sequences) == 0 {
		return nil
	}
	batches = append(batches, newBatch("padded on the right", sequences, longest, pad, right))
	batches = append(batches, newBatch("padded on the left", sequences, longest, pad, left))
	holes := newBatch("with holes", sequences, longest, pad, right)
	for row, s := range sequences {
		if len(s.InputIDs) >= 3 {
			holes.mask[row*longest+1] = 0
		}
	}
	return append(batches, holes)
}

// Adversarial are inputs that are rare in use and legal: one token, as many as the model has positions, all hidden but
// one, ids at both ends of the vocabulary, each token type alone and in turns, random holes, and 33 sequences of all
// lengths, padded on either side. Ids are the same in every run.
func Adversarial(c models.Config) []Batch {
	random := rand.New(rand.NewPCG(7, 33))
	draw := func(length int) Sequence {
		s := Sequence{make([]int32, length), make([]int32, length)}
		for i := range length {
			s.InputIDs[i] = random.Int32N(int32(c.VocabSize))
			s.TokenTypeIDs[i] = int32(i * min(2, c.TypeVocabSize) / length)
		}
		return s
	}
	longest := c.MaxPositionEmbeddings
	usual := min(24, longest)
	atStart := func(Sequence) int { return 0 }
	atEnd := func(s Sequence) int { return usual - len(s.InputIDs) }
	one := func(name string, s Sequence) Batch {
		return newBatch(name, []Sequence{s}, len(s.InputIDs), c.PadTokenID, atStart)
	}

	ends, types := draw(usual), draw(usual)
	for i := range usual {
		ends.InputIDs[i] = int32(i % 2 * (c.VocabSize - 1))
		types.TokenTypeIDs[i] = int32(i % min(2, c.TypeVocabSize))
	}
	last := draw(usual)
	for i := range last.TokenTypeIDs {
		last.TokenTypeIDs[i] = int32(c.TypeVocabSize - 1)
	}
	var many []Sequence
	for i := range 33 {
		many = append(many, draw(1+i%usual))
	}
	return []Batch{
		one("one token", draw(1)),
		one(fmt.Sprintf("all %d positions", longest), draw(longest)),
		newBatch("all hidden but the first", []Sequence{draw(1)}, usual, c.PadTokenID, atStart),
		newBatch("all hidden but the last", []Sequence{draw(1)}, usual, c.PadTokenID, atEnd),
		one("ids at both ends of the vocabulary", ends),
		one("the last token type alone", last),
		one("token types in turns", types),
		withHoles("random holes", []Sequence{draw(usual), draw(usual), draw(usual)}, c.PadTokenID, random),
		newBatch("33 sequences, padded on the right", many, usual, c.PadTokenID, atStart),
		newBatch("33 sequences, padded on the left", many, usual, c.PadTokenID, atEnd),
	}
}

// withHoles hides every token of sequences of one length with probability a half, but the first.
func withHoles(name string, sequences []Sequence, pad int, random *rand.Rand) Batch {
	length := len(sequences[0].InputIDs)
	b := newBatch(name, sequences, length, pad, func(Sequence) int { return 0 })
	for i := range b.mask {
		if i%length > 0 && random.IntN(2) == 0 {
			b.mask[i] = 0
		}
	}
	return b
}

// shape is what a report says of b.
func (b Batch) shape() BatchShape {
	tokens := 0
	for _, shown := range b.mask {
		tokens += int(shown)
	}
	return BatchShape{Name: b.Name, Shape: b.Inputs[models.InputIDs].Shape, Tokens: tokens}
}

// newBatch lays out sequences in rows of length, each from the column that start gives.
func newBatch(name string, sequences []Sequence, length, pad int, start func(Sequence) int) Batch {
	n := len(sequences) * length
	ids, mask, types := make([]int64, n), make([]int64, n), make([]int64, n)
	for i := range ids {
		ids[i] = int64(pad)
	}
	for row, s := range sequences {
		for i, id := range s.InputIDs {
			place := row*length + start(s) + i
			ids[place], mask[place], types[place] = int64(id), 1, int64(s.TokenTypeIDs[i])
		}
	}
	shape := []int{len(sequences), length}
	return Batch{
		Name: name,
		Inputs: map[string]runtime.Tensor{
			models.InputIDs:      runtime.NewTensor(ids, shape...),
			models.AttentionMask: runtime.NewTensor(mask, shape...),
			models.TokenTypeIDs:  runtime.NewTensor(types, shape...),
		},
		mask:   mask,
		length: length,
	}
}

// ForArchitecture returns b as a model of that architecture takes it: for multiple choice its rows are the choices of
// one question.
func (b Batch) ForArchitecture(a models.Architecture) Batch {
	if a != models.ForMultipleChoice {
		return b
	}
	inputs := map[string]runtime.Tensor{}
	for name, t := range b.Inputs {
		inputs[name] = runtime.Tensor{Shape: append([]int{1}, t.Shape...), Data: t.Data}
	}
	b.Inputs = inputs
	return b
}

// attended returns the part of an output that the mask shows: of one that has a place for each token the attended
// positions, of one that has a row for each sequence and is computed from the first position the rows in which that is
// attended, of a sentence embedding all.
func (b Batch) attended(name string, t runtime.Tensor, values []float32) []float32 {
	places := b.mask
	perToken := len(t.Shape) == 3 || name == models.StartLogits || name == models.EndLogits
	if name == models.SentenceEmbedding {
		return values
	}
	if !perToken {
		places = nil
		for at := 0; at < len(b.mask); at += b.length {
			places = append(places, b.mask[at])
		}
	}
	columns := len(values) / len(places)
	out := make([]float32, 0, len(values))
	for i, shown := range places {
		if shown == 1 {
			out = append(out, values[i*columns:(i+1)*columns]...)
		}
	}
	return out
}
