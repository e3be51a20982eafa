package tokenizer_test

import (
	"context"
	"fmt"
	"strings"

	"goalbert/tokenizer"
)

// A vocabulary of a few sentences; a special token that is written out is one id.
func ExampleTrain() {
	text := strings.Repeat("the cat sat on the mat and the dog sat on the cat\n", 20)
	sentences := func(yield func(string, error) bool) {
		for line := range strings.Lines(text) {
			if !yield(line, nil) {
				return
			}
		}
	}
	t, _, err := tokenizer.Train(context.Background(), sentences, tokenizer.DefaultTrainOptions(30))
	if err != nil {
		fmt.Println(err)
		return
	}
	ids := t.Encode("The cat sat on the [MASK]")
	var pieces []string
	for _, id := range ids {
		pieces = append(pieces, t.Piece(id))
	}
	fmt.Println(strings.Join(pieces, " "))
	fmt.Println(t.Decode(ids))
	// Output:
	// ▁the ▁cat ▁sat ▁on ▁the [MASK]
	// the cat sat on the[MASK]
}
