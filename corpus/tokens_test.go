package corpus_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"testing"

	"goalbert/corpus"
	"goalbert/tokenizer"
)

// letters is a tokenizer whose ids are the letters' code points; spaces have none.
type letters struct{ tokenizer.Tokenizer }

func (letters) AppendEncode(dst []int32, text string) []int32 {
	return append(dst, []int32(strings.ReplaceAll(text, " ", ""))...)
}

func TestTokenize(t *testing.T) {
	documents := []corpus.Document{{"ab", " ", "c"}, {" "}, {"d e f"}}
	want := &corpus.Tokens{
		IDs:            []int32("abcdef"),
		SentenceStarts: []int{0, 2, 3, 6},
		DocumentStarts: []int{0, 2, 3},
	}
	got, err := corpus.Tokenize(t.Context(), withoutErrors(documents), letters{}, 2)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("got %v, %v, want %v", got, err, want)
	}
	if got.Len() != 2 || got.Sentences(0) != 2 || !slices.Equal(got.Sentence(1, 0), []int32("def")) {
		t.Errorf("got %d documents, %d sentences, %v, want 2, 2, def", got.Len(), got.Sentences(0), got.Sentence(1, 0))
	}
}

// The order and the result do not depend on the number of goroutines.
func TestTokenizeWorkers(t *testing.T) {
	var documents []corpus.Document
	for i := range 300 {
		documents = append(documents, corpus.Document{strings.Repeat(fmt.Sprint("x", i), 300), fmt.Sprint(i)})
	}
	want, err := corpus.Tokenize(t.Context(), withoutErrors(documents), letters{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if want.Len() != len(documents) {
		t.Errorf("got %d documents, want %d", want.Len(), len(documents))
	}
	for _, workers := range []int{2, 5} {
		got, err := corpus.Tokenize(t.Context(), withoutErrors(documents), letters{}, workers)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%d workers give another result than 1 (error %v)", workers, err)
		}
	}
}

func TestTokenizeMisuse(t *testing.T) {
	one := withoutErrors([]corpus.Document{{"a"}})
	if _, err := corpus.Tokenize(t.Context(), withoutErrors(nil), letters{}, 1); err == nil ||
		!strings.Contains(err.Error(), "empty") {
		t.Errorf("an empty corpus: got %v, want an error saying so", err)
	}
	if _, err := corpus.Tokenize(t.Context(), one, letters{}, 0); err == nil {
		t.Error("no workers: got no error")
	}
	if _, err := corpus.Tokenize(t.Context(), corpus.Read("/does/not/exist"), letters{}, 1); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: got %v, want fs.ErrNotExist", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := corpus.Tokenize(ctx, one, letters{}, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v, want context.Canceled", err)
	}
}
