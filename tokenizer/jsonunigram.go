package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"unicode/utf8"
)

// unigram64 is the model Unigram of the library tokenizers. It differs from SentencePiece's, [Unigram]: scores are
// float64 and are summed from the start of a word, every piece may occur in text, and there are no kinds of pieces.
type unigram64 struct {
	pieces       []string
	scores       []float64
	ids          map[string]int32
	trie         doubleArray
	unknown      int32
	unknownScore float64
	bytes        *[256]int32 // the pieces <0x00> to <0xFF> with byte fallback, -1 where there is none
	buffers      sync.Pool   // of *[]best64
}

// best64 is the best segmentation of the text before a character: its score, and its last piece.
type best64 struct {
	score float64
	start int // -1 where no piece ends
	id    int32
}

// parseUnigram64 reads a model of type Unigram.
func parseUnigram64(data json.RawMessage) (*unigram64, error) {
	var m struct {
		UnknownID    *int                 `json:"unk_id"`
		Vocab        [][2]json.RawMessage `json:"vocab"`
		ByteFallback bool                 `json:"byte_fallback"`
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, err
	}
	if m.UnknownID == nil || *m.UnknownID < 0 || *m.UnknownID >= len(m.Vocab) {
		return nil, fmt.Errorf("want unk_id from 0 to %d", len(m.Vocab)-1)
	}
	u := &unigram64{ids: make(map[string]int32, len(m.Vocab)), unknown: int32(*m.UnknownID)}
	u.buffers.New = func() any { return new([]best64) }
	lowest := math.Inf(1)
	for id, entry := range m.Vocab {
		var piece string
		var score float64
		if err := errors.Join(json.Unmarshal(entry[0], &piece), json.Unmarshal(entry[1], &score)); err != nil {
			return nil, fmt.Errorf("piece %d: %w", id, err)
		}
		if piece == "" || len(piece) > maxPiece {
			return nil, fmt.Errorf("piece %d is %.40q, want 1 to %d bytes", id, piece, maxPiece)
		}
		u.pieces = append(u.pieces, piece)
		u.scores = append(u.scores, score)
		u.ids[piece] = int32(id) // of a piece that is there twice, the last
		lowest = min(lowest, score)
	}
	u.unknownScore = lowest - unknownPenalty
	if m.ByteFallback {
		u.bytes = new([256]int32)
		for b := range u.bytes {
			u.bytes[b] = -1
			if id, ok := u.ids[fmt.Sprintf("<0x%02X>", b)]; ok {
				u.bytes[b] = id
			}
		}
	}
	var err error
	u.trie, err = trieOf(u.ids)
	return u, err
}

// append appends the most probable pieces of a word; neighbouring unknown characters are one piece.
func (u *unigram64) append(s *sink, word []alignedRune) {
	buffer := u.buffers.Get().(*[]best64)
	defer u.buffers.Put(buffer)
	at := slices.Grow((*buffer)[:0], len(word)+1)[:len(word)+1]
	*buffer = at
	for i := range at {
		at[i] = best64{start: -1}
	}
	for start := range word {
		u.extend(at, word, start)
	}
	// The pieces are followed back from the end; then at[i].start is where the one that begins at i ends.
	for end := len(word); end > 0; {
		start := at[end].start
		at[start].score, end = float64(end), start
	}
	for start := 0; start < len(word); {
		end := int(at[start].score)
		id := at[end].id
		for id == u.unknown && end < len(word) && at[int(at[end].score)].id == u.unknown {
			end = int(at[end].score)
		}
		if id != u.unknown || !u.appendBytes(s, word[start:end]) {
			s.add(id, word[start].start, word[end-1].end)
		}
		start = end
	}
}

// extend tries every piece that begins at a character.
func (u *unigram64) extend(at []best64, word []alignedRune, start int) {
	base, single := u.trie.root(), false
	var b [utf8.UTFMax]byte
	score := at[start].score
search:
	for end := start; end < len(word); end++ {
		id := int32(-1)
		for _, c := range utf8.AppendRune(b[:0], word[end].r) {
			var ok bool
			if base, id, ok = u.trie.step(base, c); !ok {
				break search
			}
		}
		if id >= 0 {
			offer(&at[end+1], u.scores[id]+score, start, id)
			single = single || end == start
		}
	}
	if !single {
		offer(&at[start+1], u.unknownScore+score, start, u.unknown)
	}
}

// offer takes a piece that is the first, or better than what was.
func offer(to *best64, score float64, start int, id int32) {
	if to.start < 0 || score > to.score {
		*to = best64{score, start, id}
	}
}

// appendBytes writes unknown text as its bytes, if the model has pieces for all of them.
func (u *unigram64) appendBytes(s *sink, text []alignedRune) bool {
	if u.bytes == nil {
		return false
	}
	var b [utf8.UTFMax]byte
	for _, c := range text {
		for _, x := range utf8.AppendRune(b[:0], c.r) {
			if u.bytes[x] < 0 {
				return false
			}
		}
	}
	for _, c := range text {
		for _, x := range utf8.AppendRune(b[:0], c.r) {
			s.add(u.bytes[x], text[0].start, text[len(text)-1].end)
		}
	}
	return true
}
