package tokenizer

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// unknownPenalty is how much less probable an unknown character is than the least probable piece, in nats.
const unknownPenalty = 10

// Unigram is a SentencePiece unigram model: a vocabulary whose pieces have probabilities, and text is cut into the most
// probable pieces. It does what spm_encode and spm_decode do, to the bit. It is safe for concurrent use.
//
// Kudo, "Subword Regularization", arXiv:1804.10959.
type Unigram struct {
	data         []byte // the file
	pieces       []piece
	costs        []cost // of pieces
	ids          map[string]int32
	trie         doubleArray // of the pieces that text is made of
	wordwise     bool        // whether no piece has ▁ behind another character, so that text can be cut before each ▁
	normalizer   *normalizer
	denormalizer *normalizer // of decoded text; nil for none
	unknown      int32
	unknownScore float32
	unknownText  string // what an unknown piece is decoded to
	byteFallback bool
	bytes        [256]int32 // the pieces of bytes, with byte fallback
	scratches    sync.Pool
}

// A cost is what the segmentation needs to know of a piece: its score, and its bytes.
type cost struct {
	score  float64
	length int32
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

// ParseUnigram reads the bytes of a spiece.model, which it keeps: they must not change any more.
func ParseUnigram(data []byte) (*Unigram, error) {
	m, err := parseModel(data)
	if err != nil {
		return nil, err
	}
	u := &Unigram{
		data:         data,
		pieces:       m.pieces,
		costs:        make([]cost, len(m.pieces)),
		ids:          m.ids,
		wordwise:     true,
		unknownText:  m.trainer.unknownSurface,
		byteFallback: m.trainer.byteFallback,
	}
	u.scratches.New = func() any { return new(scratch) }
	u.score()
	var words, userDefined []int32
	for i, p := range m.pieces {
		id := int32(i)
		switch p.kind {
		case normalPiece:
			words = append(words, id)
		case userDefinedPiece:
			words = append(words, id)
			userDefined = append(userDefined, id)
		case unknownPiece:
			u.unknown = id
		case bytePiece:
			u.bytes[byteOf(p.text)] = id
		}
	}
	for _, id := range words {
		inner := strings.TrimLeft(u.pieces[id].text, whitespace)
		u.wordwise = u.wordwise && !strings.Contains(inner, whitespace)
	}
	if u.trie, err = u.newTrie(words); err != nil {
		return nil, err
	}
	userTrie, err := u.newTrie(userDefined)
	if err != nil {
		return nil, err
	}
	if u.normalizer, err = newNormalizer(m.normalizer, userTrie); err != nil {
		return nil, err
	}
	u.normalizer.suffix = m.trainer.whitespaceAsSuffix
	if len(m.denormalizer.precompiledCharsmap) > 0 {
		if u.denormalizer, err = newNormalizer(m.denormalizer, nil); err != nil {
			return nil, fmt.Errorf("denormalizer_spec: %w", err)
		}
	}
	return u, nil
}

// score fills in the costs: a normal piece has its score, a user-defined one of n bytes n times the highest score less
// 0.1, and an unknown character less than any.
func (u *Unigram) score() {
	lowest := float32(math.MaxFloat32)
	highest := float32(0x1p-126) // SentencePiece starts from FLT_MIN, so with logarithms below zero it stays there
	for _, p := range u.pieces {
		if p.kind == normalPiece {
			lowest, highest = min(lowest, p.score), max(highest, p.score)
		}
	}
	u.unknownScore = lowest - unknownPenalty
	for i, p := range u.pieces {
		c := cost{score: float64(p.score), length: int32(len(p.text))}
		if p.kind == userDefinedPiece {
			c.score = float64(float32(c.length)*highest) - 0.1
		}
		u.costs[i] = c
	}
}

// newTrie builds the trie of some pieces, with their ids as values.
func (u *Unigram) newTrie(ids []int32) (doubleArray, error) {
	type entry struct {
		head uint64 // the first eight bytes, which mostly decide the order
		id   int32
	}
	order := make([]entry, len(ids))
	for i, id := range ids {
		var head [8]byte
		copy(head[:], u.pieces[id].text)
		order[i] = entry{binary.BigEndian.Uint64(head[:]), id}
	}
	slices.SortFunc(order, func(a, b entry) int {
		if a.head != b.head {
			return cmp.Compare(a.head, b.head)
		}
		return strings.Compare(u.pieces[a.id].text, u.pieces[b.id].text)
	})
	keys, values := make([]string, len(ids)), make([]int32, len(ids))
	for i, e := range order {
		keys[i], values[i] = u.pieces[e.id].text, e.id
	}
	return newDoubleArray(keys, values)
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
func (u *Unigram) Encode(text string) []int32 { return u.AppendEncode(nil, text) }

// AppendEncode appends the ids of text to dst.
func (u *Unigram) AppendEncode(dst []int32, text string) []int32 {
	out := output{ids: dst}
	u.encode(&out, text)
	return out.ids
}

// AppendTokens appends the tokens of text to dst.
func (u *Unigram) AppendTokens(dst []Token, text string) []Token {
	out := output{tokens: dst, traced: true}
	u.encode(&out, text)
	return out.tokens
}

func (u *Unigram) encode(out *output, text string) {
	s := u.scratch()
	s.normalized.reset(out.traced)
	u.normalizer.append(&s.normalized, text, source{})
	s.spans = u.cut(s, s.spans[:0], &s.normalized)
	for _, p := range s.spans {
		u.emit(out, &s.normalized, p)
	}
	u.release(s)
}

// output receives ids, or tokens where text is traced.
type output struct {
	ids    []int32
	tokens []Token
	traced bool
}

func (o *output) add(id int32, from origin) {
	if o.traced {
		o.tokens = append(o.tokens, Token{ID: id, Start: from.start, End: from.end})
	} else {
		o.ids = append(o.ids, id)
	}
}

// emit writes a piece of text, with byte fallback the bytes of an unknown one.
func (u *Unigram) emit(out *output, text *aligned, p span) {
	switch {
	case p.id == u.unknown && u.byteFallback:
		for start := int(p.start); start < int(p.end); {
			_, size := utf8.DecodeRune(text.text[start:p.end])
			from := text.cover(start, start+size)
			for _, c := range text.text[start : start+size] {
				out.add(u.bytes[c], from)
			}
			start += size
		}
	case out.traced:
		out.add(p.id, text.cover(int(p.start), int(p.end)))
	default:
		out.ids = append(out.ids, p.id)
	}
}

// A span is a piece in normalized text: bytes [start, end).
type span struct {
	id         int32
	start, end int32
}

// unknownSurface is what SentencePiece writes for the unknown piece.
const unknownSurface = " \u2047 "

// Decode returns the text of ids as spm_decode does: ▁ is a space, the first one is dropped, control pieces are empty,
// unknown ones are " ⁇ ", and the pieces of bytes are put together to characters.
func (u *Unigram) Decode(ids []int32) string {
	d := decoding{atStart: u.normalizer.spec.addDummyPrefix || u.normalizer.spec.removeExtraWhitespaces}
	for _, id := range ids {
		if id < 0 || int(id) >= len(u.pieces) {
			id = u.unknown
		}
		p := u.pieces[id]
		if p.kind == bytePiece {
			d.bytes = append(d.bytes, byte(byteOf(p.text)))
			continue
		}
		d.flush()
		d.atStart = d.atStart && d.text.Len() == 0
		switch p.kind {
		case controlPiece:
		case unknownPiece:
			d.text.WriteString(u.unknownText)
		default:
			d.piece(p.text, u.normalizer.spec.removeExtraWhitespaces)
		}
	}
	d.flush()
	if u.denormalizer != nil {
		return u.denormalizer.normalize(d.text.String())
	}
	return d.text.String()
}

// decoding is text that is put together from pieces.
type decoding struct {
	text    strings.Builder
	bytes   []byte // pieces of bytes that may be part of a character
	atStart bool   // whether a ▁ is the one that was added in front
}

// piece writes a piece, without the ▁ that was added. Where spaces at the start are never kept, all are dropped.
func (d *decoding) piece(text string, all bool) {
	if d.atStart {
		if rest, found := strings.CutPrefix(text, whitespace); found {
			text, d.atStart = rest, all
		}
	}
	d.text.WriteString(strings.ReplaceAll(text, whitespace, " "))
}

// flush writes the bytes as characters; each byte that is part of none becomes U+FFFD.
func (d *decoding) flush() {
	for b := d.bytes; len(b) > 0; {
		r, size := utf8.DecodeRune(b)
		d.text.WriteRune(r)
		b = b[size:]
	}
	d.bytes = d.bytes[:0]
}
