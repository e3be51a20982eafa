package evaluate

import (
	"context"
	"errors"
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

// FillMask returns, for each [MASK] of text, the k most probable tokens, most probable first. Masks are filled
// independently: each sees the others as masks.
func FillMask(ctx context.Context, session runtime.Session, c models.Config, t tokenizer.Tokenizer, text string,
	k int) ([][]Candidate, error) {
	if k < 1 {
		return nil, fmt.Errorf("evaluate: %d candidates for a mask, want 1 or more", k)
	}
	special := t.Special()
	ids, types := tokenizer.BuildInputs(special, t.Encode(text), nil)
	if !slices.Contains(ids, special.MASK) {
		return nil, fmt.Errorf("evaluate: no %s in %q; put one where a token is to be filled in", t.Piece(special.MASK), text)
	}
	b := &models.Batch{InputIDs: ids, TokenTypeIDs: types, Offsets: []int{0, len(ids)}}
	if err := check(c, b); err != nil {
		return nil, fmt.Errorf("evaluate: fill mask: %w", err)
	}
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
		if id != special.MASK {
			continue
		}
		best, err := candidates(logits[i*c.VocabSize:(i+1)*c.VocabSize], t, k)
		if err != nil {
			return nil, fmt.Errorf("evaluate: %s: %w", session.Engine(), err)
		}
		answers = append(answers, best)
	}
	return answers, nil
}

// candidates returns the k largest of logits with their softmax; of equal ones the smaller id comes first.
func candidates(logits []float32, t tokenizer.Tokenizer, k int) ([]Candidate, error) {
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
		sum += math.Exp(float64(x) - float64(logits[ids[0]]))
	}
	if math.IsNaN(sum) {
		return nil, errors.New("the logits are not finite; the weights are damaged or the training diverged")
	}
	best := make([]Candidate, min(k, len(ids)))
	for i := range best {
		best[i] = Candidate{ID: ids[i], Piece: t.Piece(ids[i]),
			Probability: math.Exp(float64(logits[ids[i]])-float64(logits[ids[0]])) / sum}
	}
	return best, nil
}
