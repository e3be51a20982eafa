package tokenizer

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"iter"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// WordPieceTrainOptions say what WordPiece vocabulary is trained.
type WordPieceTrainOptions struct {
	VocabSize     int        // pieces in all, special tokens included
	LimitAlphabet int        // most characters that are pieces; the words with others are unknown
	MinFrequency  int        // two pieces that stand side by side less often are not merged
	Rules         BasicRules // applied to the text first, and to whatever is encoded later

	Threads  int              // that count words, 0 is one a processor; the result does not depend on it
	Progress func(pieces int) // nil is none
}

// DefaultWordPieceTrainOptions are those of BertWordPieceTokenizer.train of the library tokenizers.
func DefaultWordPieceTrainOptions(vocabSize int) WordPieceTrainOptions {
	return WordPieceTrainOptions{VocabSize: vocabSize, LimitAlphabet: 1000, MinFrequency: 2, Rules: DefaultBasicRules()}
}

// WordPieceTrainStats say what a vocabulary was trained on.
type WordPieceTrainStats struct {
	Sentences  int `json:"sentences"`
	Words      int `json:"words"`      // different ones
	LeftOut    int `json:"left_out"`   // other words: too long, or with characters that are no pieces
	Characters int `json:"characters"` // that are pieces
}

// TrainWordPiece trains a WordPiece vocabulary with BERT's special tokens:
//
//	[PAD] 0   [UNK] 1   [CLS] 2   [SEP] 3   [MASK] 4   characters   ## characters   merged pieces, in their order
//
// Words begin as characters, all but the first with ##; again and again the two pieces that stand side by side most
// often become one (Sennrich et al., arXiv:1508.07909). So does the WordPieceTrainer of the library tokenizers, whose
// vocabularies ours is compared with. The first WordPiece (Schuster and Nakajima 2012) merged what makes the text most
// likely under a language model; that trainer was never published. Of pairs that are equally frequent the one of older
// pieces is first, so that the same text and options give the same vocabulary. An error that sentences yields is
// returned.
func TrainWordPiece(
	ctx context.Context, sentences iter.Seq2[string, error], o WordPieceTrainOptions,
) (*Bert, WordPieceTrainStats, error) {
	var stats WordPieceTrainStats
	if o.Threads == 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	if o.Threads < 0 || o.LimitAlphabet < 1 || o.MinFrequency < 0 {
		return nil, stats, fmt.Errorf("tokenizer: train: %d threads, an alphabet of %d and a frequency of %d, want "+
			"none below 0 and an alphabet of at least 1", o.Threads, o.LimitAlphabet, o.MinFrequency)
	}
	counts, err := countBasicWords(ctx, sentences, &o, &stats)
	if err != nil {
		return nil, stats, err
	}
	t := newMerger(counts, &o, &stats)
	if err := t.run(ctx, &o); err != nil {
		return nil, stats, err
	}
	bert, err := NewBert([]byte(strings.Join(t.pieces, "\n")+"\n"), o.Rules)
	if err != nil {
		return nil, stats, fmt.Errorf("tokenizer: train: the vocabulary is wrong, please report it: %w", err)
	}
	return bert, stats, nil
}

// countBasicWords counts the words of sentences, on so many goroutines; sums do not depend on who adds.
func countBasicWords(
	ctx context.Context, sentences iter.Seq2[string, error], o *WordPieceTrainOptions, stats *WordPieceTrainStats,
) (map[string]int, error) {
	const portion = 256
	portions := make(chan []string, o.Threads)
	partial := make([]map[string]int, o.Threads)
	var wait sync.WaitGroup
	for i := range partial {
		counts := map[string]int{}
		partial[i] = counts
		wait.Go(func() {
			var w basicWords
			var text []byte
			for lines := range portions {
				for _, line := range lines {
					text = w.count(counts, o.Rules, line, text)
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
		stats.Sentences++
		if lines = append(lines, s); len(lines) == portion {
			portions <- lines
			lines = nil
		}
	}
	portions <- lines
	close(portions)
	wait.Wait()
	counts := partial[0]
	for _, p := range partial[1:] {
		for text, c := range p {
			counts[text] += c
		}
	}
	if err == nil && len(counts) == 0 {
		err = fmt.Errorf("tokenizer: train: the text has no words; give a file with text")
	}
	return counts, err
}

// count adds the words of a text to counts. Special tokens are no words.
func (w *basicWords) count(counts map[string]int, rules BasicRules, text string, buffer []byte) []byte {
	for text != "" {
		at, token := firstToken(text, bertSpecialTokens)
		w.split(rules, bertSpecialTokens, text[:at], 0)
		for _, span := range w.words {
			buffer = buffer[:0]
			for _, c := range w.text[span.start:span.end] {
				buffer = utf8.AppendRune(buffer, c.r)
			}
			if n, ok := counts[string(buffer)]; ok {
				counts[string(buffer)] = n + 1
			} else {
				counts[string(buffer)] = 1
			}
		}
		text = text[at+len(token):]
	}
	return buffer
}

// A pair is two pieces side by side.
type pair struct{ left, right int32 }

// merger is a vocabulary on its way.
type merger struct {
	pieces []string
	ids    map[string]int32
	words  [][]int32 // ids of the pieces of each word
	counts []int     // how often each word occurs
	pairs  map[pair]*pairPlaces
	queue  pairQueue
}

// pairPlaces say how often two pieces stand side by side, and in which words; some no more.
type pairPlaces struct {
	count int
	words []int32
}

// newMerger makes characters of words, and counts their pairs.
func newMerger(counts map[string]int, o *WordPieceTrainOptions, stats *WordPieceTrainStats) *merger {
	t := &merger{ids: map[string]int32{}, pairs: map[pair]*pairPlaces{}}
	for _, token := range bertSpecialTokens {
		t.id(token)
	}
	kept := alphabet(counts, o.LimitAlphabet)
	for _, r := range slices.Sorted(maps.Keys(kept)) {
		t.id(string(r))
	}
	stats.Characters = len(kept)
	var words []string
	continuing := map[rune]bool{}
	for _, text := range slices.Sorted(maps.Keys(counts)) {
		rare := strings.ContainsFunc(text, func(r rune) bool { return !kept[r] })
		if rare || slices.Contains(bertSpecialTokens, text) || utf8.RuneCountInString(text) > maxWord {
			stats.LeftOut++
			continue
		}
		words = append(words, text)
		for i, r := range text {
			if i > 0 {
				continuing[r] = true
			}
		}
	}
	stats.Words = len(words)
	for _, r := range slices.Sorted(maps.Keys(continuing)) {
		t.id(continuingPrefix + string(r))
	}
	for i, text := range words {
		var word []int32
		for at, r := range text {
			piece := string(r)
			if at > 0 {
				piece = continuingPrefix + piece
			}
			word = append(word, t.ids[piece])
		}
		t.words, t.counts = append(t.words, word), append(t.counts, counts[text])
		for j := 1; j < len(word); j++ {
			t.add(pair{word[j-1], word[j]}, i, counts[text])
		}
	}
	for p, places := range t.pairs {
		t.queue = append(t.queue, queued{p, places.count})
	}
	heap.Init(&t.queue)
	return t
}

// alphabet returns the most frequent characters, of equally frequent ones the first.
func alphabet(counts map[string]int, limit int) map[rune]bool {
	all := map[rune]int{}
	for text, count := range counts {
		for _, r := range text {
			all[r] += count
		}
	}
	order := slices.SortedFunc(maps.Keys(all), func(a, b rune) int {
		return cmp.Or(cmp.Compare(all[b], all[a]), cmp.Compare(a, b))
	})
	kept := map[rune]bool{}
	for _, r := range order[:min(limit, len(order))] {
		kept[r] = true
	}
	return kept
}

// id returns the id of a piece, which is new if need be.
func (t *merger) id(piece string) int32 {
	id, ok := t.ids[piece]
	if !ok {
		id = int32(len(t.pieces))
		t.pieces = append(t.pieces, piece)
		t.ids[piece] = id
	}
	return id
}

// add counts a pair in a word.
func (t *merger) add(p pair, word, count int) {
	places := t.pairs[p]
	if places == nil {
		places = &pairPlaces{}
		t.pairs[p] = places
	}
	places.count += count
	if n := len(places.words); count > 0 && (n == 0 || places.words[n-1] != int32(word)) {
		places.words = append(places.words, int32(word))
	}
}

// run merges until there are as many pieces as wanted.
func (t *merger) run(ctx context.Context, o *WordPieceTrainOptions) error {
	if o.VocabSize < len(t.pieces) {
		return fmt.Errorf("tokenizer: train: a vocabulary of %d is too small: special tokens and characters are %d; ask for "+
			"at least that many, or for a smaller alphabet", o.VocabSize, len(t.pieces))
	}
	for len(t.pieces) < o.VocabSize {
		if len(t.queue) == 0 || t.queue[0].count < max(1, o.MinFrequency) {
			return fmt.Errorf("tokenizer: train: a vocabulary of %d is larger than this text supports; ask for at most %d, or "+
				"give more text", o.VocabSize, len(t.pieces))
		}
		top := t.queue[0]
		if now := t.pairs[top.pair].count; now != top.count {
			t.queue[0].count = now
			heap.Fix(&t.queue, 0)
			continue
		}
		heap.Pop(&t.queue)
		before := len(t.pieces)
		t.merge(top.pair)
		if n := len(t.pieces); n != before && n%max(1, o.VocabSize/10) == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			if o.Progress != nil {
				o.Progress(n)
			}
		}
	}
	return nil
}

// merge makes one piece of a pair in all words.
func (t *merger) merge(p pair) {
	id := t.id(t.pieces[p.left] + strings.TrimPrefix(t.pieces[p.right], continuingPrefix))
	changed := map[pair]bool{}
	for _, w := range t.pairs[p].words {
		word, count := t.words[w], t.counts[w]
		out := word[:0]
		for i := 0; i < len(word); i++ {
			if i+1 == len(word) || word[i] != p.left || word[i+1] != p.right {
				out = append(out, word[i])
				continue
			}
			if n := len(out); n > 0 {
				t.add(pair{out[n-1], p.left}, int(w), -count)
				t.add(pair{out[n-1], id}, int(w), count)
				changed[pair{out[n-1], id}] = true
			}
			if i+2 < len(word) {
				t.add(pair{p.right, word[i+2]}, int(w), -count)
				t.add(pair{id, word[i+2]}, int(w), count)
				changed[pair{id, word[i+2]}] = true
			}
			t.pairs[p].count -= count
			out = append(out, id)
			i++
		}
		t.words[w] = out
	}
	t.pairs[p].words = nil
	for p := range changed {
		heap.Push(&t.queue, queued{p, t.pairs[p].count})
	}
}

// queued is a pair with a count that it had: at most as frequent now, unless it is in the queue again.
type queued struct {
	pair  pair
	count int
}

// pairQueue has the most frequent pair first, of equally frequent ones that of the older pieces.
type pairQueue []queued

func (q pairQueue) Len() int      { return len(q) }
func (q pairQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q pairQueue) Less(i, j int) bool {
	a, b := q[i], q[j]
	return cmp.Or(
		cmp.Compare(b.count, a.count), cmp.Compare(a.pair.left, b.pair.left), cmp.Compare(a.pair.right, b.pair.right)) < 0
}

// Push and Pop are those of heap.Interface.
func (q *pairQueue) Push(x any) { *q = append(*q, x.(queued)) }
func (q *pairQueue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
