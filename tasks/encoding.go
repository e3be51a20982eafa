package tasks

import (
	"fmt"

	"goalbert/tokenizer"
)

// encoder turns texts into sequences of a limited length.
type encoder struct {
	maxLength  int
	noTruncate bool
}

func (o Options) encoder() encoder { return encoder{o.maxLength(), o.NoTruncate} }

// sequence returns [CLS] A [SEP], or [CLS] A [SEP] B [SEP] where pair is there, the longer one shortened first.
func (n encoder) sequence(t tokenizer.Tokenizer, place, text string, pair *string) (s Sequence, truncated bool,
	err error) {
	a, special := t.Encode(text), 2
	var b []int32
	if pair != nil {
		b, special = append([]int32{}, t.Encode(*pair)...), 3
	}
	return n.join(t, place, a, b, special)
}

func (n encoder) join(t tokenizer.Tokenizer, place string, a, b []int32, special int) (s Sequence, truncated bool,
	err error) {
	length := len(a) + len(b) + special
	if length > n.maxLength {
		if n.noTruncate {
			return Sequence{}, false, n.tooLong(place, length)
		}
		a, b = tokenizer.Truncate(a, b, n.maxLength-special)
		truncated = true
	}
	s.InputIDs, s.TokenTypeIDs = tokenizer.BuildInputs(t.Special(), a, b)
	return s, truncated, nil
}

func (n encoder) tooLong(place string, length int) error {
	return fmt.Errorf("tasks: %s: %d tokens, want at most %d; allow truncation, or a larger maximum length",
		place, length, n.maxLength)
}
