package tokenizer

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
)

// maxSentence is the most bytes of a sentence that is trained on, as in spm_train.
const maxSentence = 4192

// A word is text between spaces, with the ▁ in front of it, and how often it occurs.
type word struct {
	text  []rune
	count int
}

// words is what a vocabulary is trained on.
type words struct {
	list       []word       // the most frequent first
	characters map[rune]int // how often each of those that are to be pieces occurs
	stats      TrainStats
}

// collect normalizes sentences and counts their words. Words end at user-defined symbols, which are pieces of their own,
// and at characters that are too rare to be pieces.
func collect(ctx context.Context, sentences iter.Seq2[string, error], o *TrainOptions, n *normalizer) (*words, error) {
	w := &words{}
	counts, err := w.sample(ctx, sentences, o, n)
	if err != nil {
		return nil, err
	}
	if len(counts) == 0 {
		return nil, fmt.Errorf("tokenizer: train: the text has no words; give a file with one sentence a line")
	}
	w.cover(counts, o.CharacterCoverage)
	parts := map[string]int{}
	for text, count := range counts {
		rare := func(r rune) bool { return w.characters[r] == 0 }
		for _, part := range strings.FieldsFunc(text, rare) {
			parts[part] += count
		}
	}
	for text, count := range parts {
		w.list = append(w.list, word{text: []rune(text), count: count})
	}
	slices.SortFunc(w.list, func(a, b word) int {
		return cmp.Or(cmp.Compare(b.count, a.count), slices.Compare(a.text, b.text))
	})
	w.stats.Words, w.stats.Characters = len(w.list), len(w.characters)
	return w, nil
}

// sample counts the words of all sentences, or of o.SentenceLimit of them where there are more. No sentence is kept: what
// is drawn is known when the sentences have been counted, so that drawing reads them again.
func (w *words) sample(
	ctx context.Context, sentences iter.Seq2[string, error], o *TrainOptions, n *normalizer,
) (map[string]int, error) {
	all := 0
	counts, err := count(ctx, func(yield func(string, error) bool) {
		for s, err := range notTooLong(ctx, sentences, &w.stats.TooLong) {
			if err == nil {
				all++
			}
			if over := o.SentenceLimit > 0 && all > o.SentenceLimit; err == nil && over {
				continue
			}
			if !yield(s, err) {
				return
			}
		}
	}, o, n)
	w.stats.Sentences = all
	if err != nil || o.SentenceLimit == 0 || all <= o.SentenceLimit {
		return counts, err
	}
	w.stats.Sentences = o.SentenceLimit
	return count(ctx, draw(notTooLong(ctx, sentences, new(int)), all, o), o, n)
}

// notTooLong leaves out sentences that are too long, and counts these.
func notTooLong(ctx context.Context, sentences iter.Seq2[string, error], tooLong *int) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for s, err := range sentences {
			if err = cmp.Or(err, ctx.Err()); err == nil && len(s) > maxSentence {
				*tooLong++
				continue
			}
			if !yield(s, err) || err != nil {
				return
			}
		}
	}
}

// draw yields o.SentenceLimit of all sentences, each choice equally probable: selection sampling (Fan, Muller and
// Rezucha, JASA 1962).
func draw(sentences iter.Seq2[string, error], all int, o *TrainOptions) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		random := rand.New(rand.NewPCG(o.Seed, 0))
		left, wanted := all, o.SentenceLimit
		for s, err := range sentences {
			switch {
			case err != nil:
				yield(s, err)
				return
			case wanted == 0:
				return
			}
			if random.IntN(left) < wanted {
				wanted--
				if !yield(s, nil) {
					return
				}
			}
			if left--; left == 0 {
				break
			}
		}
		if wanted > 0 {
			yield("", fmt.Errorf("tokenizer: train: %d of %d sentences were missing when the text was read again to draw %d "+
				"of them; give files that can be read twice, or no sentence limit", left, all, o.SentenceLimit))
		}
	}
}

// count counts the words of sentences, on so many goroutines; sums do not depend on who adds.
func count(ctx context.Context, sentences iter.Seq2[string, error], o *TrainOptions, n *normalizer) (map[string]int, error) {
	symbols := strings.NewReplacer(separators(o.UserDefinedSymbols)...)
	const portion = 256
	portions := make(chan []string, o.Threads)
	partial := make([]map[string]*int, o.Threads)
	var wait sync.WaitGroup
	for i := range partial {
		partial[i] = map[string]*int{}
		wait.Go(func() {
			for lines := range portions {
				for _, line := range lines {
					countWords(partial[i], symbols.Replace(n.normalize(o.Rules.Apply(line))))
				}
			}
		})
	}
	var err error
	var lines []string
	for s, failed := range sentences {
		if err = cmp.Or(failed, ctx.Err()); err != nil {
			break
		}
		if lines = append(lines, s); len(lines) == portion {
			portions <- lines
			lines = nil
		}
	}
	portions <- lines
	close(portions)
	wait.Wait()
	counts := map[string]int{}
	for _, p := range partial {
		for text, c := range p {
			counts[text] += *c
		}
	}
	return counts, err
}

// boundary separates words where a user-defined symbol stood.
const boundary = "\t"

// separators are the arguments of a Replacer of symbols by boundaries.
func separators(symbols []string) []string {
	var pairs []string
	for _, s := range symbols {
		pairs = append(pairs, s, boundary)
	}
	return pairs
}

// countWords adds the words of a normalized sentence: each begins with ▁, or follows a boundary. A key is a copy, so that
// it does not hold the sentence; the counts are pointers, since adding to a value sets the key again.
func countWords(counts map[string]*int, text string) {
	for text != "" {
		end := len(text)
		if i := strings.Index(text[1:], whitespace); i >= 0 {
			end = i + 1
		}
		for part := range strings.SplitSeq(text[:end], boundary) {
			if part == "" {
				continue
			}
			c := counts[part]
			if c == nil {
				c = new(int)
				counts[strings.Clone(part)] = c
			}
			*c++
		}
		text = text[end:]
	}
}

// cover chooses the characters that are to be pieces: the most frequent ones, until they make up a share of the text.
func (w *words) cover(counts map[string]int, coverage float64) {
	all := map[rune]int{}
	total := 0
	for text, count := range counts {
		for _, r := range text {
			all[r] += count
			total += count
		}
	}
	order := sortedRunes(all)
	w.characters = map[rune]int{}
	need := int(math.Ceil(coverage * float64(total)))
	for covered := 0; covered < need; order = order[1:] {
		w.characters[order[0]] = all[order[0]]
		covered += all[order[0]]
	}
}
