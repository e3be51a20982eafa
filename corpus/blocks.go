package corpus

import "fmt"

// Blocks is a tokenized corpus in blocks of consecutive documents, in memory or in files, so that it need not be in
// memory as a whole. It always gives the same answers, and serves several goroutines.
type Blocks interface {
	// Len returns the number of blocks.
	Len() int
	// Documents returns the number of documents of a block, at least 1.
	Documents(block int) int
	// Block reads a block, which the caller must not change.
	Block(block int) (*Tokens, error)
}

// BlockTokens is the size of a block: it ends with the document that brings it to so many tokens. That the division
// depends on the documents alone makes training on text and on shards of it the same.
const BlockTokens = 1 << 20

// blocks is a corpus in memory, divided.
type blocks struct {
	tokens *Tokens
	starts []int // of each block its first document, and the number of documents
}

// Blocks divides t into blocks of so many tokens: BlockTokens, except in tests.
func (t *Tokens) Blocks(size int) Blocks {
	b := &blocks{tokens: t, starts: []int{0}}
	first := 0
	for document := range t.Len() {
		end := t.SentenceStarts[t.DocumentStarts[document+1]]
		if end-first >= size || document == t.Len()-1 {
			b.starts = append(b.starts, document+1)
			first = end
		}
	}
	return b
}

func (b *blocks) Len() int { return len(b.starts) - 1 }

func (b *blocks) Documents(block int) int { return b.starts[block+1] - b.starts[block] }

func (b *blocks) Block(block int) (*Tokens, error) {
	if block < 0 || block >= b.Len() {
		return nil, fmt.Errorf("corpus: got block %d, want 0 to %d", block, b.Len()-1)
	}
	return &Tokens{
		IDs: b.tokens.IDs, SentenceStarts: b.tokens.SentenceStarts,
		DocumentStarts: b.tokens.DocumentStarts[b.starts[block] : b.starts[block+1]+1],
	}, nil
}
