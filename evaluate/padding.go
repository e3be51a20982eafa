package evaluate

import (
	"fmt"
	"slices"

	"goalbert/models"
	"goalbert/runtime"
)

// Padded is a batch as engines take it: (batch, sequence) tensors, padded on the right.
type Padded struct {
	Inputs map[string]runtime.Tensor
	Length int   // of the padded sequences
	Places []int // (T): where each token of the batch lies in (batch, sequence)
}

// Pad pads the sequences of b to the longest of them. Position ids are the engine's own, 0 to S-1, so the sequences
// of b must be whole: a batch that keeps the positions of a mask with holes cannot be padded on the right.
func Pad(b *models.Batch, pad int) Padded {
	longest := 0
	for i := range b.Sequences() {
		longest = max(longest, b.Offsets[i+1]-b.Offsets[i])
	}
	n := b.Sequences() * longest
	ids, mask, types := make([]int64, n), make([]int64, n), make([]int64, n)
	for i := range ids {
		ids[i] = int64(pad)
	}
	places := make([]int, 0, b.Tokens())
	for i := range b.Sequences() {
		for j, row := 0, b.Offsets[i]; row < b.Offsets[i+1]; j, row = j+1, row+1 {
			place := i*longest + j
			ids[place], mask[place], types[place] = int64(b.InputIDs[row]), 1, int64(b.TokenTypeIDs[row])
			places = append(places, place)
		}
	}
	return Padded{
		Inputs: map[string]runtime.Tensor{
			models.InputIDs:      runtime.NewTensor(ids, b.Sequences(), longest),
			models.AttentionMask: runtime.NewTensor(mask, b.Sequences(), longest),
			models.TokenTypeIDs:  runtime.NewTensor(types, b.Sequences(), longest),
		},
		Length: longest,
		Places: places,
	}
}

// groupBy makes the inputs (batch, choices, sequence), as multiple choice takes them.
func (p *Padded) groupBy(choices int) {
	for name, t := range p.Inputs {
		t.Shape = []int{t.Shape[0] / choices, choices, t.Shape[1]}
		p.Inputs[name] = t
	}
}

// check reports what an engine would refuse in words of its own, or take for something else: a model without the masked-LM
// head, and what checkSequences reports.
func check(c models.Config, b *models.Batch) error {
	if !c.Architecture.HasPredictions() {
		return fmt.Errorf("an %s has no masked-LM head; take a model that has, as an %s", c.Architecture, models.ForMaskedLM)
	}
	if err := checkSequences(c, b); err != nil {
		return err
	}
	foreignLabel := func(id int32) bool { return id != models.IgnoreIndex && foreign(c, id) }
	if i := slices.IndexFunc(b.MaskedLabels, foreignLabel); i >= 0 {
		return fmt.Errorf("masked label %d is id %d, the model has ids 0 to %d (vocab_size); use the model's own vocabulary",
			i, b.MaskedLabels[i], c.VocabSize-1)
	}
	return nil
}

// checkSequences reports a sequence without tokens or with more than the model has positions, and tokens of another
// vocabulary.
func checkSequences(c models.Config, b *models.Batch) error {
	for i := range b.Sequences() {
		n := b.Offsets[i+1] - b.Offsets[i]
		if n < 1 {
			return fmt.Errorf("sequence %d has no tokens; leave it out", i)
		}
		if n > c.MaxPositionEmbeddings {
			return fmt.Errorf("sequence %d has %d tokens, the model takes at most %d (max_position_embeddings); shorten it",
				i, n, c.MaxPositionEmbeddings)
		}
	}
	if i := slices.IndexFunc(b.InputIDs, func(id int32) bool { return foreign(c, id) }); i >= 0 {
		return fmt.Errorf("token %d has id %d, the model has ids 0 to %d (vocab_size); use the model's own vocabulary",
			i, b.InputIDs[i], c.VocabSize-1)
	}
	return nil
}

func foreign(c models.Config, id int32) bool { return id < 0 || int(id) >= c.VocabSize }
