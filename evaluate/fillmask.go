package evaluate

import (
	"context"
	"fmt"
	"math"
	"slices"

	"goalbert/models"
	"goalbert/runtime"
	"goalbert/tokenizer"
)

// Candidate is a token that may stand at a [MASK].
type Candidate struct {
	ID          int32   `json:"id"`
	Piece       string  `json:"piece"`
	Probability float64 `json:"probability"`
}

// FillMask returns, for each [MASK] of text, the k most probable tokens, most probable first.
func FillMask(ctx context.Context, session runtime.Session, c models.Config, t tokenizer.Tokenizer, text string, k int) ([][]Candidate, error) {
	special := t.Special()
	ids, types := tokenizer.BuildInputs(special, t.Encode(text), nil)
	if len(ids) > c.MaxPositionEmbeddings {
		return nil, fmt.Errorf("evaluate: the text has %d tokens, the model takes at most %d (max_position_embeddings); shorten it",
			len(ids), c.MaxPositionEmbeddings)
	}
	b := &models.Batch{InputIDs: ids, TokenTypeIDs: types, Offsets: []int{0, len(ids)}}
	padded := Pad(b, c.PadTokenID)
	outputs, err := session.Run(ctx, padded.Inputs)
	if err != nil {
		return nil, fmt.Errorf("evaluate: %s: %w", session.Engine(), err)
	}
	logits, err := values(outputs, c.Architecture.Outputs()[0], 1, len(ids), c.VocabSize)
	if err != nil {
		return nil, fmt.Errorf("evaluate: %s: %w", session.Engine(), err)
	}
	var answers [][]Candidate
	for i, id := range ids {
		if id == special.MASK {
			answers = append(answers, candidates(logits[i*c.VocabSize:(i+1)*c.VocabSize], t, k))
		}
	}
	if answers == nil {
		return nil, fmt.Errorf("evaluate: no %s in %q; put one where a token is to be filled in", t.Piece(special.MASK), text)
	}
	return answers, nil
}

// candidates returns the k largest of logits with their softmax; of equal ones the smaller id comes first.
func candidates(logits []float32, t tokenizer.Tokenizer, k int) []Candidate {
	ids := make([]int32, len(logits))
	for i := range ids {
		ids[i] = int32(i)
	}
	slices.SortStableFunc(ids, func(a, b int32) int {
		switch x, y := logits[a], logits[b]; {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	sum := 0.0
	for _, x := range logits {
		sum += math.Exp(float64(x - logits[ids[0]]))
	}
	best := make([]Candidate, min(k, len(ids)))
	for i := range best {
		best[i] = Candidate{ID: ids[i], Piece: t.Piece(ids[i]),
			Probability: math.Exp(float64(logits[ids[i]]-logits[ids[0]])) / sum}
	}
	return best
}
