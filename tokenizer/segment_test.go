package tokenizer

import (
	"slices"
	"unicode/utf8"
)

// segment is the obvious way to do what [Unigram.cut] does.
func (u *Unigram) segment(text string) []span {
	type best struct {
		score float32
		start int
		id    int32
	}
	longest := 0
	for _, p := range u.pieces {
		longest = max(longest, len(p.text))
	}
	at := make([]best, len(text)+1)
	for i := range at {
		at[i].start = -1
	}
	for start := 0; start < len(text); {
		_, size := utf8.DecodeRuneInString(text[start:])
		single := false
		for end := start + 1; end <= min(len(text), start+longest); end++ {
			id, ok := u.ids[text[start:end]]
			if !ok || u.pieces[id].kind != normalPiece && u.pieces[id].kind != userDefinedPiece {
				continue
			}
			candidate := u.costs[id].score + float64(at[start].score)
			if at[end].start < 0 || candidate > float64(at[end].score) {
				at[end] = best{float32(candidate), start, id}
			}
			single = single || end-start == size
		}
		if end := start + size; !single {
			candidate := u.unknownScore + at[start].score
			if at[end].start < 0 || candidate > at[end].score {
				at[end] = best{candidate, start, u.unknown}
			}
		}
		start += size
	}
	var spans []span
	for end := len(text); end > 0; end = at[end].start {
		b := at[end]
		if last := len(spans) - 1; b.id == u.unknown && last >= 0 && spans[last].id == u.unknown {
			spans[last].start = int32(b.start)
		} else {
			spans = append(spans, span{b.id, int32(b.start), int32(end)})
		}
	}
	slices.Reverse(spans)
	return spans
}
