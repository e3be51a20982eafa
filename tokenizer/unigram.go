package tokenizer

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"unicode/utf8"
)

// unknownPenalty is how much less probable an unknown character is than the least probable piece, in nats.
const unknownPenalty = 10

// Unigram is a SentencePiece unigram model: a vocabulary whose pieces have probabilities, and text is cut into the most
// probable pieces. It does what spm_encode and spm_decode do, to the bit.
//
// Kudo, "Subword Regularization", arXiv:1804.10959.
type Unigram struct {
	data         []byte // the file
	pieces       []piece
	ids          map[string]int32
	trie         doubleArray // of the pieces that text is made of
	normalizer   *normalizer
	unknown      int32
	unknownScore float32
	userBonus    float32 // a user-defined piece of n bytes scores n * userBonus - 0.1
}

// ReadUnigram reads a spiece.model.
func ReadUnigram(path string) (*Unigram, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("tokenizer: read vocabulary: %w", err)
	}
	u, err := ParseUnigram(data)
	if err != nil {
		return nil, fmt.Errorf("tokenizer: read %s: %w", path, err)
	}
	return u, nil
}

// ParseUnigram reads the bytes of a spiece.model, which it keeps.
func ParseUnigram(data []byte) (*Unigram, error) {
	m, err := parseModel(data)
	if err != nil {
		return nil, err
	}
	u := &Unigram{data: data, pieces: m.pieces, ids: make(map[string]int32, len(m.pieces))}
	var words, userDefined []int32
	lowest := float32(math.MaxFloat32)
	u.userBonus = 0x1p-126 // SentencePiece starts from FLT_MIN, so with logarithms below zero it stays there
	for i, p := range m.pieces {
		id := int32(i)
		u.ids[p.text] = id
		switch p.kind {
		case normalPiece:
			lowest = min(lowest, p.score)
			u.userBonus = max(u.userBonus, p.score)
			words = append(words, id)
		case userDefinedPiece:
			words = append(words, id)
			userDefined = append(userDefined, id)
		case unknownPiece:
			u.unknown = id
		}
	}
	u.unknownScore = lowest - unknownPenalty
	if u.trie, err = u.newTrie(words); err != nil {
		return nil, err
	}
	userTrie, err := u.newTrie(userDefined)
	if err != nil {
		return nil, err
	}
	u.normalizer, err = newNormalizer(m.normalizer, userTrie)
	return u, err
}

// newTrie builds the trie of some pieces, with their ids as values.
func (u *Unigram) newTrie(ids []int32) (doubleArray, error) {
	slices.SortFunc(ids, func(a, b int32) int { return strings.Compare(u.pieces[a].text, u.pieces[b].text) })
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = u.pieces[id].text
	}
	return newDoubleArray(keys, ids)
}

// VocabSize returns V.
func (u *Unigram) VocabSize() int { return len(u.pieces) }

// Piece returns the text of an id; it is empty outside [0, V).
func (u *Unigram) Piece(id int32) string {
	if id < 0 || int(id) >= len(u.pieces) {
		return ""
	}
	return u.pieces[id].text
}

// ID returns the id of a piece, and whether the vocabulary has it.
func (u *Unigram) ID(piece string) (int32, bool) {
	id, ok := u.ids[piece]
	return id, ok
}

// Normalize returns text as it is before it is cut into pieces, with ▁ for spaces.
func (u *Unigram) Normalize(text string) string { return u.normalizer.normalize(text) }

// Encode returns the ids that spm_encode --output_format=id prints for text, without ALBERT's own rules.
func (u *Unigram) Encode(text string) []int32 {
	normalized := u.Normalize(text)
	var ids []int32
	for _, s := range u.segment(normalized) {
		ids = append(ids, s.id)
	}
	return ids
}

// A span is a piece in normalized text: bytes [start, end).
type span struct {
	id         int32
	start, end int32
}

// best is the best segmentation of the text before a byte: its score, and its last piece.
type best struct {
	score float32
	start int32 // -1 where no piece ends
	id    int32
}

// segment returns the most probable pieces of normalized text; neighbouring unknown characters are one span.
//
// It is Viterbi's algorithm with SentencePiece's arithmetic: scores are summed in float32 from the start of the text,
// and a later candidate wins against the rounded score only if it is larger before rounding.
func (u *Unigram) segment(text string) []span {
	if text == "" {
		return nil
	}
	at := make([]best, len(text)+1)
	for i := range at {
		at[i].start = -1
	}
	root := u.trie.root()
	for start := 0; start < len(text); {
		_, size := utf8.DecodeRuneInString(text[start:])
		score := at[start].score
		single := false // whether the first character is a piece
		for base, end := root, start; end < len(text); {
			next, id, ok := u.trie.step(base, text[end])
			if !ok {
				break
			}
			base = next
			end++
			if id < 0 {
				continue
			}
			candidate := u.score(id, end-start) + float64(score)
			if to := &at[end]; to.start < 0 || candidate > float64(to.score) {
				*to = best{score: float32(candidate), start: int32(start), id: id}
			}
			single = single || end-start == size
		}
		if !single {
			candidate := u.unknownScore + score
			if to := &at[start+size]; to.start < 0 || candidate > to.score {
				*to = best{score: candidate, start: int32(start), id: u.unknown}
			}
		}
		start += size
	}
	return u.trace(at)
}

// score returns the score of a piece of so many bytes.
func (u *Unigram) score(id int32, length int) float64 {
	p := &u.pieces[id]
	if p.kind == userDefinedPiece {
		return float64(float32(length)*u.userBonus) - 0.1
	}
	return float64(p.score)
}

// trace follows the best pieces back from the end of the text.
func (u *Unigram) trace(at []best) []span {
	var spans []span
	for end := int32(len(at) - 1); end > 0; {
		b := at[end]
		if last := len(spans) - 1; b.id == u.unknown && last >= 0 && spans[last].id == u.unknown {
			spans[last].start = b.start
		} else {
			spans = append(spans, span{id: b.id, start: b.start, end: end})
		}
		end = b.start
	}
	slices.Reverse(spans)
	return spans
}

// unknownSurface is what SentencePiece writes for the unknown piece.
const unknownSurface = " \u2047 "

// Decode returns the text of ids as spm_decode does: ▁ is a space, the first one is dropped, control pieces are empty
// and unknown ones are " ⁇ ".
func (u *Unigram) Decode(ids []int32) string {
	var b strings.Builder
	for _, id := range ids {
		if id < 0 || int(id) >= len(u.pieces) {
			id = u.unknown
		}
		switch p := u.pieces[id]; p.kind {
		case controlPiece:
		case unknownPiece:
			b.WriteString(unknownSurface)
		default:
			text := p.text
			if b.Len() == 0 {
				text = strings.TrimPrefix(text, whitespace)
			}
			b.WriteString(strings.ReplaceAll(text, whitespace, " "))
		}
	}
	return b.String()
}
