package tokenizer

import (
	"fmt"
	"unicode/utf8"
)

func idsOf(tokens []Token) []int32 {
	var ids []int32
	for _, k := range tokens {
		ids = append(ids, k.ID)
	}
	return ids
}

// checkOffsets says what is wrong with the offsets of tokens: they lie inside the text, do not decrease, and are at
// characters' boundaries, where a byte that is no UTF-8 is a character.
func checkOffsets(text string, tokens []Token) error {
	boundary := make([]bool, len(text)+1)
	boundary[len(text)] = true
	for i := 0; i < len(text); {
		boundary[i] = true
		_, size := utf8.DecodeRuneInString(text[i:])
		i += size
	}
	var last Token
	for i, k := range tokens {
		switch {
		case k.Start < 0 || k.End > len(text) || k.Start > k.End:
			return fmt.Errorf("token %d is bytes [%d, %d) of %d", i, k.Start, k.End, len(text))
		case k.Start < last.Start || k.End < last.End:
			return fmt.Errorf("token %d is bytes [%d, %d) after [%d, %d)", i, k.Start, k.End, last.Start, last.End)
		case !boundary[k.Start] || !boundary[k.End]:
			return fmt.Errorf("token %d is bytes [%d, %d), inside a character", i, k.Start, k.End)
		}
		last = k
	}
	return nil
}
