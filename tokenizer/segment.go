package tokenizer

import (
	"encoding/binary"
	"math"
	"slices"
	"unicode/utf8"
	"unsafe"
)

// scratch is the memory of one encoding, kept for the next.
type scratch struct {
	prepared, normalized aligned
	number, renormalized aligned // of the digit-comma rule
	spans, numberSpans   []span
	nodes                []best
	ranks                []ranked
	words                []wordBucket
}

// keptText is the largest text whose memory is kept.
const keptText = 1 << 20

func (u *Unigram) scratch() *scratch { return u.scratches.Get().(*scratch) }

func (u *Unigram) release(s *scratch) {
	if max(cap(s.prepared.text), cap(s.normalized.text), cap(s.nodes)) <= keptText {
		u.scratches.Put(s)
	}
}

// view is the bytes as a string, for as long as they do not change.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// cut appends the most probable pieces of normalized text; neighbouring unknown characters are one span.
//
// It is Viterbi's algorithm with SentencePiece's arithmetic: scores are summed in float32 from the start of the text,
// and a later candidate wins against the rounded score only if it is larger before rounding. Where no piece goes on
// over ▁, the best path is that of each word after the other, and words are looked up.
func (u *Unigram) cut(s *scratch, spans []span, a *aligned) []span {
	start, score := 0, float32(0)
	if u.wordwise {
		if s.words == nil {
			s.words = make([]wordBucket, 1<<cacheBits)
		}
		a.text = slices.Grow(a.text, keySize)
		for _, next := range a.words {
			spans, score = u.cutWord(s, spans, a.text, start, int(next), score)
			start = int(next)
		}
		spans, _ = u.cutWord(s, spans, a.text, start, len(a.text), score)
		return spans
	}
	spans, _ = u.viterbi(s, spans, a.text, 0, len(a.text), 0)
	return spans
}

// best is the best segmentation of the text before a byte: its score, and its last piece.
type best struct {
	score float32
	start int32 // -1 where no piece ends
	id    int32
}

// viterbi appends the most probable pieces of text[start:end], when those before have this score; it returns the score
// of all.
func (u *Unigram) viterbi(s *scratch, spans []span, text []byte, start, end int, score float32) ([]span, float32) {
	word := text[start:end]
	if len(word) == 0 {
		return spans, score
	}
	s.nodes = slices.Grow(s.nodes[:0], len(word)+1)[:len(word)+1]
	nodes := s.nodes
	for i := range nodes {
		nodes[i].start = -1
	}
	nodes[0].score = score
	root := u.trie.root()
	for from := 0; from < len(word); {
		size := 1
		if word[from] >= utf8.RuneSelf {
			_, size = utf8.DecodeRune(word[from:])
		}
		score := nodes[from].score
		single := false // whether the first character is a piece
		for base, to := root, from; to < len(word); {
			next, id, ok := u.trie.step(base, word[to])
			if !ok {
				break
			}
			base = next
			to++
			if id < 0 {
				continue
			}
			candidate := u.costs[id].score + float64(score)
			if n := &nodes[to]; n.start < 0 || candidate > float64(n.score) {
				*n = best{score: float32(candidate), start: int32(from), id: id}
			}
			single = single || to-from == size
		}
		if !single {
			candidate := u.unknownScore + score
			if n := &nodes[from+size]; n.start < 0 || candidate > n.score {
				*n = best{score: candidate, start: int32(from), id: u.unknown}
			}
		}
		from += size
	}
	return u.trace(spans, nodes, start), nodes[len(word)].score
}

// trace follows the best pieces back from the end of the nodes; the first of them is byte start of the text.
func (u *Unigram) trace(spans []span, nodes []best, start int) []span {
	first := len(spans)
	for end := int32(len(nodes) - 1); end > 0; {
		n := nodes[end]
		if last := len(spans) - 1; n.id == u.unknown && last >= first && spans[last].id == u.unknown {
			spans[last].start = int32(start) + n.start
		} else {
			spans = append(spans, span{id: n.id, start: int32(start) + n.start, end: int32(start) + end})
		}
		end = n.start
	}
	slices.Reverse(spans[first:])
	if first > 0 && spans[first].id == u.unknown && spans[first-1].id == u.unknown {
		spans[first-1].end = spans[first].end
		spans = slices.Delete(spans, first, first+1)
	}
	return spans
}

const (
	keySize    = 24 // bytes of the longest word that is looked up
	wordPieces = 8  // most pieces of one
	cacheBits  = 14
)

type wordKey [keySize / 8]uint64

// A wordBucket has the words of one place in the cache: one that came again, and the last new one.
type wordBucket [2]cachedWord

// A cachedWord is the answer for a word, valid while the score of what is before it is small enough: see [Unigram.safe].
type cachedWord struct {
	key    wordKey
	limit  float32 // 0 for a word that must be cut each time
	length uint8   // of the word in bytes; 0 for none
	count  uint8   // of ids
	judged bool    // whether limit was computed
	ids    [wordPieces]int32
}

// keyMasks keep so many bytes of a key.
var keyMasks = func() (masks [keySize + 1]wordKey) {
	for length := range masks {
		for i := range length {
			masks[length][i/8] |= 0xff << (8 * (i % 8))
		}
	}
	return masks
}()

// cutWord is viterbi of a word, which is looked up where its score allows. The text has room for keySize more bytes.
func (u *Unigram) cutWord(s *scratch, spans []span, text []byte, start, end int, score float32) ([]span, float32) {
	length := end - start
	if length == 0 || length > keySize {
		return u.viterbi(s, spans, text, start, end, score)
	}
	bytes, mask := text[start:start+keySize], &keyMasks[length]
	key := wordKey{
		binary.LittleEndian.Uint64(bytes) & mask[0],
		binary.LittleEndian.Uint64(bytes[8:]) & mask[1],
		binary.LittleEndian.Uint64(bytes[16:]) & mask[2],
	}
	bucket := &s.words[key.hash(length)]
	w := &bucket[0]
	if w.key != key || int(w.length) != length {
		if w = &bucket[1]; w.key != key || int(w.length) != length {
			*w = cachedWord{key: key, length: uint8(length)}
			return u.viterbi(s, spans, text, start, end, score)
		}
	}
	if !(abs(score) < w.limit) {
		first := len(spans)
		spans, total := u.viterbi(s, spans, text, start, end, score)
		if !w.judged { // most words of a text come once, so it is the second time that is worth it
			w.judged = true
			if limit := u.safe(s, text[start:end]); abs(score) < limit {
				w.fill(spans[min(first, len(spans)):], int32(start), u.unknown, limit)
			}
			if w == &bucket[1] {
				bucket[0], bucket[1] = bucket[1], bucket[0]
			}
		}
		return spans, total
	}
	at := int32(start)
	for _, id := range w.ids[:w.count] {
		c := u.costs[id]
		score = float32(c.score + float64(score))
		spans = append(spans, span{id: id, start: at, end: at + c.length})
		at += c.length
	}
	return spans, score
}

// hash returns a place in the cache.
func (k *wordKey) hash(length int) uint64 {
	h := k[0]*0x9e3779b97f4a7c15 ^ k[1]*0xc2b2ae3d27d4eb4f ^ k[2]*0x165667b19e3779f9 ^ uint64(length)
	h ^= h >> 29
	return h * 0xbf58476d1ce4e5b9 >> (64 - cacheBits)
}

// fill keeps the pieces of a word that begins at byte start, unless there are too many, or unknown ones.
func (w *cachedWord) fill(spans []span, start, unknown int32, limit float32) {
	if len(spans) == 0 || len(spans) > wordPieces || spans[0].start != start {
		return // it may have become part of an unknown piece before it
	}
	for i, p := range spans {
		if p.id == unknown {
			return
		}
		w.ids[i] = p.id
	}
	w.count, w.limit = uint8(len(spans)), limit
}

// ranked is the best score of the text before a byte, and the second best.
type ranked struct{ first, second float64 }

func (r *ranked) add(score float64) {
	if score > r.first {
		r.first, r.second = score, r.first
	} else if score > r.second {
		r.second = score
	}
}

// safe returns the largest absolute score of the text before a word with which rounding cannot change the best pieces of
// the word.
//
// A sum has at most n terms for n characters, each rounded by at most 2⁻²⁴ of a sum, which is at most |score| + d, if d
// is the largest best score of a prefix of the word. So two sums are compared as exact ones are if they differ by more
// than 2n·2⁻²⁴·(|score| + d). The best two ways to cut the word differ by the margin m: score may be m/(n·2⁻²³) - d.
func (u *Unigram) safe(s *scratch, word []byte) float32 {
	s.ranks = slices.Grow(s.ranks[:0], len(word)+1)[:len(word)+1]
	for i := range s.ranks {
		s.ranks[i] = ranked{math.Inf(-1), math.Inf(-1)}
	}
	s.ranks[0].first = 0
	n, d := 0, 0.0
	root := u.trie.root()
	for from := 0; from < len(word); n++ {
		_, size := utf8.DecodeRune(word[from:])
		before := s.ranks[from]
		d = max(d, math.Abs(before.first))
		single := false
		for base, to := root, from; to < len(word); {
			next, id, ok := u.trie.step(base, word[to])
			if !ok {
				break
			}
			base = next
			to++
			if id >= 0 {
				s.ranks[to].add(before.first + u.costs[id].score)
				s.ranks[to].add(before.second + u.costs[id].score)
				single = single || to-from == size
			}
		}
		if !single {
			s.ranks[from+size].add(before.first + float64(u.unknownScore))
			s.ranks[from+size].add(before.second + float64(u.unknownScore))
		}
		from += size
	}
	whole := s.ranks[len(word)]
	d = max(d, math.Abs(whole.first))
	const slack = 0.99 // far more than the rounding of these sums in float64 and of the sum of roundings
	return float32(slack*(whole.first-whole.second)/(float64(n)*0x1p-23) - d)
}

func abs(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }
