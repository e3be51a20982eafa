package tokenizer

import (
	"cmp"
	"math"
	"slices"
)

// shrink is the share of the pieces that a pruning keeps.
const shrink = 0.75

// prune returns which of the pieces to keep, at least size of them if there are as many: those without which their own
// text could not be written, and of the others those whose loss would cost most. The loss of a piece x with count c,
// of N in all, is what the likelihood of the text would lose if x were written with other pieces a, its best
// alternative:
//
//	c/N·(log(c/N) - Σ log((count(a) + c)/(N + c·(|a| - 1))))
//
// A piece that is never used, or that would be cut itself, is dropped.
func (t *trainer) prune(size int) []bool {
	counts, total := t.viterbiCounts()
	keep := make([]bool, len(t.pieces))
	type loss struct {
		id   int
		loss float64
	}
	var losses []loss
	kept := 0
	alternatives := t.alternatives()
	for i := range t.pieces {
		a := alternatives[i]
		switch {
		case a.only:
			keep[i] = true
			kept++
		case counts[i] == 0 || a.pieces == nil:
		default:
			c := counts[i]
			without := math.Log(total + c*float64(len(a.pieces)-1))
			sum := 0.0
			for _, p := range a.pieces {
				sum += math.Log(counts[p]+c) - without
			}
			losses = append(losses, loss{i, c / total * (math.Log(c) - math.Log(total) - sum)})
		}
	}
	slices.SortFunc(losses, func(a, b loss) int {
		return cmp.Or(cmp.Compare(b.loss, a.loss), cmp.Compare(t.pieces[a.id].text, t.pieces[b.id].text))
	})
	size = max(size, int(shrink*float64(len(t.pieces))))
	for _, l := range losses[:min(len(losses), max(0, size-kept))] {
		keep[l.id] = true
	}
	return keep
}

// viterbiCounts counts the pieces in the most probable way to cut each word.
func (t *trainer) viterbiCounts() (counts []float64, total float64) {
	partial := make([][]float64, chunks)
	inChunks(len(t.words), t.options.Threads, func(chunk, lo, hi int) {
		sums := make([]float64, len(t.pieces))
		var steps []viterbi
		for i := lo; i < hi; i++ {
			l := &t.words[i]
			steps = slices.Grow(steps[:0], l.length+1)[:l.length+1]
			pieces, _ := l.best(t.scores, true, steps)
			for _, p := range pieces {
				sums[p] += l.count
			}
		}
		partial[chunk] = sums
	})
	counts = make([]float64, len(t.pieces))
	for _, sums := range partial {
		for i, s := range sums {
			counts[i] += s
			total += s
		}
	}
	return counts, total
}

// alternative is how a piece's text is best written without it.
type alternative struct {
	only   bool    // there is no other way
	pieces []int32 // nil if that is more probable than the piece itself, which is then no use
}

func (t *trainer) alternatives() []alternative {
	all := make([]alternative, len(t.pieces))
	inChunks(len(t.pieces), t.options.Threads, func(_, lo, hi int) {
		steps := make([]viterbi, maxPieceLength+1)
		for i := lo; i < hi; i++ {
			pieces, score := t.texts[i].best(t.scores, false, steps)
			switch {
			case pieces == nil:
				all[i].only = true
			case score <= t.scores[i]:
				all[i].pieces = pieces
			}
		}
	})
	return all
}
