package corpus

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"goalbert/tokenizer"
)

// Tokens is a corpus as ids, in memory. Sentences and documents lie one after the other; a sentence has at least one
// id, a document at least one sentence.
type Tokens struct {
	IDs            []int32
	SentenceStarts []int // of each sentence in IDs, and len(IDs)
	DocumentStarts []int // of each document its first sentence, and the number of sentences
}

// Len returns the number of documents.
func (t *Tokens) Len() int { return len(t.DocumentStarts) - 1 }

// Sentences returns the number of sentences of a document.
func (t *Tokens) Sentences(document int) int {
	return t.DocumentStarts[document+1] - t.DocumentStarts[document]
}

// Sentence returns the ids of a sentence, which the caller must not change.
func (t *Tokens) Sentence(document, sentence int) []int32 {
	s := t.DocumentStarts[document] + sentence
	return t.IDs[t.SentenceStarts[s]:t.SentenceStarts[s+1]:t.SentenceStarts[s+1]]
}

// add appends a document, if it has ids.
func (t *Tokens) add(e encoded) {
	end := len(t.IDs)
	t.IDs = append(t.IDs, e.ids...)
	for _, length := range e.lengths {
		end += int(length)
		t.SentenceStarts = append(t.SentenceStarts, end)
	}
	if len(e.lengths) > 0 {
		t.DocumentStarts = append(t.DocumentStarts, len(t.SentenceStarts)-1)
	}
}

// encoded is a document as ids.
type encoded struct {
	ids     []int32
	lengths []int32 // of its sentences, all but those without ids
}

func encode(t tokenizer.Tokenizer, d Document) encoded {
	var e encoded
	for _, sentence := range d {
		before := len(e.ids)
		e.ids = t.AppendEncode(e.ids, sentence)
		if n := len(e.ids) - before; n > 0 {
			e.lengths = append(e.lengths, int32(n))
		}
	}
	return e
}

// Tokenize encodes a corpus with so many goroutines; the result does not depend on their number. A corpus without a
// token is an error.
func Tokenize(ctx context.Context, documents iter.Seq2[Document, error], t tokenizer.Tokenizer, workers int) (*Tokens, error) {
	if workers < 1 {
		return nil, fmt.Errorf("corpus: tokenize: got %d workers, want at least 1", workers)
	}
	tokens := &Tokens{SentenceStarts: []int{0}, DocumentStarts: []int{0}}
	work := func(batch []Document) []encoded {
		all := make([]encoded, len(batch))
		for i, document := range batch {
			all[i] = encode(t, document)
		}
		return all
	}
	collect := func(all []encoded) bool {
		for _, e := range all {
			tokens.add(e)
		}
		return true
	}
	if err := inOrder(ctx, inBatches(documents, Document.size), workers, work, collect); err != nil {
		return nil, fmt.Errorf("corpus: tokenize: %w", err)
	}
	if len(tokens.IDs) == 0 {
		return nil, errors.New("corpus: tokenize: the corpus is empty, want at least one sentence; check the input files")
	}
	return tokens, nil
}

func (d Document) size() (bytes int) {
	for _, sentence := range d {
		bytes += len(sentence)
	}
	return bytes
}

// inBatches groups documents so that each batch is worth handing to a goroutine.
func inBatches[T any](documents iter.Seq2[T, error], size func(T) int) iter.Seq2[[]T, error] {
	const worthwhile = 1 << 16 // bytes
	return func(yield func([]T, error) bool) {
		var batch []T
		bytes := 0
		for document, err := range documents {
			if err != nil {
				yield(nil, err)
				return
			}
			batch = append(batch, document)
			if bytes += size(document); bytes >= worthwhile {
				if !yield(batch, nil) {
					return
				}
				batch, bytes = nil, 0
			}
		}
		if len(batch) > 0 {
			yield(batch, nil)
		}
	}
}
