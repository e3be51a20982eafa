package tokenizer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func trainWordPiece(t testing.TB, text []string, o WordPieceTrainOptions) (*Bert, WordPieceTrainStats) {
	t.Helper()
	b, stats, err := TrainWordPiece(context.Background(), sentencesOf(text), o)
	if err != nil {
		t.Fatal(err)
	}
	return b, stats
}

// The size is exact, BERT's special tokens have their ids, and every word of the text can be written.
func TestTrainedWordPiece(t *testing.T) {
	text := trainingText(2000)
	for _, size := range []int{100, 400, 701} {
		b, stats := trainWordPiece(t, text, DefaultWordPieceTrainOptions(size))
		if b.VocabSize() != size {
			t.Errorf("got %d pieces, want %d", b.VocabSize(), size)
		}
		for id, piece := range bertSpecialTokens {
			if got := b.Piece(int32(id)); got != piece {
				t.Errorf("id %d is %q, want %q", id, got, piece)
			}
		}
		if stats.Sentences != 2000 || stats.Words == 0 || stats.LeftOut != 0 || stats.Characters == 0 {
			t.Errorf("stats are %+v", stats)
		}
		for _, line := range text {
			if ids := b.Encode(line); slices.Contains(ids, b.special.Unknown) {
				t.Fatalf("%q has unknown words", line)
			}
		}
	}
}

// The oracle is the definition: count all pairs anew before each merge.
func TestWordPieceMergesMostFrequentPair(t *testing.T) {
	text := trainingText(300)
	const size = 250
	o := DefaultWordPieceTrainOptions(size)
	b, _ := trainWordPiece(t, text, o)
	var stats WordPieceTrainStats
	o.Threads = 1
	counts, err := countBasicWords(context.Background(), sentencesOf(text), &o, &stats)
	if err != nil {
		t.Fatal(err)
	}
	m := newMerger(counts, &o, &stats)
	for len(m.pieces) < size {
		pairs := map[pair]int{}
		for i, word := range m.words {
			for j := 1; j < len(word); j++ {
				pairs[pair{word[j-1], word[j]}] += m.counts[i]
			}
		}
		best, most := pair{}, 0
		for p, n := range pairs {
			if n > most || n == most && (p.left < best.left || p.left == best.left && p.right < best.right) {
				best, most = p, n
			}
		}
		id := m.id(m.pieces[best.left] + strings.TrimPrefix(m.pieces[best.right], continuingPrefix))
		for i, word := range m.words {
			var merged []int32
			for j := 0; j < len(word); j++ {
				if j+1 < len(word) && word[j] == best.left && word[j+1] == best.right {
					merged = append(merged, id)
					j++
				} else {
					merged = append(merged, word[j])
				}
			}
			m.words[i] = merged
		}
	}
	if !slices.Equal(b.words.pieces, m.pieces) {
		t.Errorf("got pieces\n%q\nwant\n%q", b.words.pieces, m.pieces)
	}
}

// Neither the number of threads nor the order of sentences changes a piece.
func TestWordPieceTrainingIsDeterministic(t *testing.T) {
	text := trainingText(1000)
	var want []byte
	for _, threads := range []int{1, 2, 3, 8} {
		o := DefaultWordPieceTrainOptions(300)
		o.Threads = threads
		b, _ := trainWordPiece(t, text, o)
		if want == nil {
			want = b.vocab
		} else if !slices.Equal(b.vocab, want) {
			t.Errorf("%d threads give another vocabulary than 1", threads)
		}
		slices.Reverse(text)
	}
}

// Rare characters are left out, with the words that have them; special tokens in the text are no words.
func TestWordPieceAlphabet(t *testing.T) {
	text := append(slices.Repeat([]string{"aab aab [MASK] bba"}, 5), "zebra", strings.Repeat("a", 101))
	o := DefaultWordPieceTrainOptions(11)
	o.LimitAlphabet = 2
	b, stats := trainWordPiece(t, text, o)
	want := append(slices.Clone(bertSpecialTokens), "a", "b", "##a", "##b", "aa", "aab")
	if !slices.Equal(b.words.pieces, want) || stats.LeftOut != 2 || stats.Characters != 2 {
		t.Errorf("got %q and %+v, want %q", b.words.pieces, stats, want)
	}
}

func TestWordPieceTrainingErrors(t *testing.T) {
	text := trainingText(50)
	failed := errors.New("the disk is on fire")
	for _, test := range []struct {
		name string
		text []string
		err  error
		set  func(*WordPieceTrainOptions)
		want string
	}{
		{"small", text, nil, func(o *WordPieceTrainOptions) { o.VocabSize = 10 }, "too small"},
		{"large", text, nil, func(o *WordPieceTrainOptions) { o.VocabSize = 100000 }, "ask for at most"},
		{"empty", nil, nil, func(*WordPieceTrainOptions) {}, "no words"},
		{"threads", text, nil, func(o *WordPieceTrainOptions) { o.Threads = -1 }, "-1 threads"},
		{"alphabet", text, nil, func(o *WordPieceTrainOptions) { o.LimitAlphabet = 0 }, "an alphabet of 0"},
		{"reading", text, failed, func(*WordPieceTrainOptions) {}, "on fire"},
	} {
		o := DefaultWordPieceTrainOptions(200)
		test.set(&o)
		sentences := func(yield func(string, error) bool) {
			for _, s := range test.text {
				if !yield(s, nil) {
					return
				}
			}
			if test.err != nil {
				yield("", test.err)
			}
		}
		_, _, err := TrainWordPiece(context.Background(), sentences, o)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got error %v, want one with %q", test.name, err, test.want)
		}
	}
	stopped, cancel := context.WithCancel(context.Background())
	cancel()
	_, _, err := TrainWordPiece(stopped, sentencesOf(text), DefaultWordPieceTrainOptions(200))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got error %v", err)
	}
}

// A WordPiece vocabulary of a few sentences.
func ExampleTrainWordPiece() {
	text := slices.Repeat([]string{"The cat sat on the mat, and the dog sat on the cat."}, 20)
	t, _, err := TrainWordPiece(context.Background(), sentencesOf(text), DefaultWordPieceTrainOptions(35))
	if err != nil {
		fmt.Println(err)
		return
	}
	ids := t.Encode("The cat sat on the [MASK]")
	fmt.Println(strings.Join(piecesOf(t, ids), " "))
	fmt.Println(t.Decode(ids))
	// Output:
	// the cat sat on the [MASK]
	// the cat sat on the [MASK]
}
