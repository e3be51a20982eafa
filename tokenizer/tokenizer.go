package tokenizer

// ModelFile is the name of a SentencePiece vocabulary in a checkpoint directory.
const ModelFile = "spiece.model"

// Tokenizer turns text into the ids of a vocabulary and back. It is safe for concurrent use.
type Tokenizer interface {
	// Encode returns the ids of text, without [CLS] and [SEP] around them. Bytes that are no UTF-8 become U+FFFD.
	// A special token that is written out in the text, as in "the [MASK] of France", is one id.
	Encode(text string) []int32
	// AppendEncode appends the ids of text to dst. It allocates nothing where dst has room.
	AppendEncode(dst []int32, text string) []int32
	// AppendTokens appends the tokens of text to dst: the ids of Encode, and where each comes from.
	AppendTokens(dst []Token, text string) []Token
	// Decode returns the text of ids. An id outside the vocabulary is written as the unknown piece.
	Decode(ids []int32) string
	// VocabSize returns V, the number of ids.
	VocabSize() int
	// Piece returns the text of an id as the vocabulary has it; it is empty for an id outside [0, V).
	Piece(id int32) string
	// ID returns the id of a piece, and whether the vocabulary has it.
	ID(piece string) (int32, bool)
	// Special returns the ids of the special tokens.
	Special() SpecialIDs
	// StartsWord says whether a piece begins a word, which decides what n-gram masking takes for a whole word.
	StartsWord(id int32) bool
}

// A Token is an id and the bytes [Start, End) of the original text that it stands for, without white space around.
// Neither Start nor End decreases from one token to the next, both are at characters' boundaries, and a special token
// that is written out is one token. Where a character becomes several tokens, each has all of it: both the f and the i of
// ﬁ, say. A letter has the combining accents behind it that were dropped. A token of a space alone has that space; the
// one in front of a text, which is not written there, has Start == End.
type Token struct {
	ID         int32
	Start, End int
}

// SpecialIDs are the ids of the special tokens.
type SpecialIDs struct{ Pad, Unknown, CLS, SEP, MASK int32 }

// BuildInputs surrounds the ids of one segment, or of two, with special tokens:
//
//	[CLS] A [SEP]             token types 0
//	[CLS] A [SEP] B [SEP]     token types 0 up to the first [SEP], then 1; when b is not nil
func BuildInputs(s SpecialIDs, a, b []int32) (ids, tokenTypeIDs []int32) {
	n := len(a) + 2
	if b != nil {
		n += len(b) + 1
	}
	ids = make([]int32, 0, n)
	ids = append(ids, s.CLS)
	ids = append(ids, a...)
	ids = append(ids, s.SEP)
	tokenTypeIDs = make([]int32, n)
	if b == nil {
		return ids, tokenTypeIDs
	}
	for i := len(ids); i < n; i++ {
		tokenTypeIDs[i] = 1
	}
	ids = append(ids, b...)
	return append(ids, s.SEP), tokenTypeIDs
}

// Truncate shortens two segments to at most so many tokens in all, special tokens not counted, as transformers does by
// longest_first: from the end of the longer one until both are equally long, and then from both in turn. Without a
// second one, b is nil.
func Truncate[T any](a, b []T, most int) ([]T, []T) {
	remove := len(a) + len(b) - max(0, most)
	if remove <= 0 {
		return a, b
	}
	fromLonger := min(remove, max(len(a)-len(b), len(b)-len(a)))
	fromBoth := remove - fromLonger
	if len(a) > len(b) {
		return a[:len(a)-fromLonger-fromBoth/2], b[:len(b)-(fromBoth-fromBoth/2)]
	}
	return a[:len(a)-fromBoth/2], b[:len(b)-fromLonger-(fromBoth-fromBoth/2)]
}
