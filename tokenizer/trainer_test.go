package tokenizer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// trainingText is made-up text: words of syllables, the frequent ones short, with numbers and marks.
func trainingText(sentences int) []string {
	random := rand.New(rand.NewPCG(7, 7))
	syllables := []string{"ka", "to", "ri", "men", "sal", "ver", "do", "pin", "lu", "est", "gra", "oth", "ing", "er", "un"}
	vocabulary := make([]string, 600)
	for i := range vocabulary {
		for range 1 + random.IntN(2+i/200) {
			vocabulary[i] += syllables[random.IntN(len(syllables))]
		}
	}
	text := make([]string, sentences)
	for i := range text {
		var line []string
		for range 4 + random.IntN(12) {
			word := vocabulary[int(float64(len(vocabulary))*math.Pow(random.Float64(), 3))]
			switch random.IntN(20) {
			case 0:
				word = strings.ToUpper(word[:1]) + word[1:]
			case 1:
				word += ","
			case 2:
				word = fmt.Sprint(random.IntN(3000))
			case 3:
				word = "(" + word + ")"
			}
			line = append(line, word)
		}
		text[i] = strings.Join(line, " ") + "."
	}
	return text
}

func sentencesOf(text []string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, s := range text {
			if !yield(s, nil) {
				return
			}
		}
	}
}

func train(t testing.TB, text []string, o TrainOptions) *Albert {
	t.Helper()
	a, _, err := Train(context.Background(), sentencesOf(text), o)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// The size is exact, ALBERT's special tokens have their ids, and the pieces after them are sorted.
func TestTrainedVocabulary(t *testing.T) {
	text := trainingText(2000)
	for _, size := range []int{60, 200, 501} {
		a := train(t, text, DefaultTrainOptions(size))
		if a.VocabSize() != size {
			t.Errorf("got %d pieces, want %d", a.VocabSize(), size)
		}
		for id, piece := range []string{"<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]", "(", ")", `"`, "-", ".", "–", "£", "€"} {
			if got := a.Piece(int32(id)); got != piece {
				t.Errorf("id %d is %q, want %q", id, got, piece)
			}
		}
		pieces := a.unigram.pieces[13:]
		if !slices.IsSortedFunc(pieces, func(a, b piece) int { return int(math.Copysign(1, float64(b.score-a.score))) * bit(a.score != b.score) }) {
			t.Errorf("the %d pieces are not sorted by their scores", size)
		}
		for _, line := range text[:200] {
			ids := a.Encode(line)
			if slices.Contains(ids, a.special.Unknown) {
				t.Fatalf("%q has unknown characters", line)
			}
			if got, want := a.Decode(ids), strings.ToLower(line); got != want {
				t.Fatalf("decoded %q, want %q", got, want)
			}
		}
	}
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Neither the number of threads nor the order of sentences changes a byte.
func TestTrainingIsDeterministic(t *testing.T) {
	text := trainingText(1000)
	var want []byte
	for _, threads := range []int{1, 2, 3, 8} {
		o := DefaultTrainOptions(300)
		o.Threads = threads
		a := train(t, text, o)
		if want == nil {
			want = a.unigram.data
		} else if !slices.Equal(a.unigram.data, want) {
			t.Errorf("%d threads give another vocabulary than 1", threads)
		}
		slices.Reverse(text)
	}
}

// Control symbols come after the special tokens and are in no text, even where a text has their letters; spm_encode
// agrees.
func TestControlSymbols(t *testing.T) {
	o := DefaultTrainOptions(200)
	o.ControlSymbols = []string{"[DOC]", "kato", "▁sal"}
	text := append(trainingText(500), strings.Repeat("kato sal ", 100))
	a := train(t, text, o)
	for i, s := range o.ControlSymbols {
		if id, ok := a.ID(s); !ok || int(id) != len(specialTokens)+i || a.unigram.pieces[id].kind != controlPiece {
			t.Errorf("%s has id %d (%v), want %d, a control piece", s, id, ok, len(specialTokens)+i)
		}
	}
	if got := a.Piece(int32(len(specialTokens) + len(o.ControlSymbols))); got != "(" {
		t.Errorf("after the control symbols comes %q, want (", got)
	}
	lines := []string{"kato sal [doc]", "[DOC] kato", "to sal kato."}
	for _, line := range lines {
		for _, id := range a.Encode(line) {
			if slices.Contains(o.ControlSymbols, a.Piece(id)) {
				t.Errorf("%q has the control symbol %s", line, a.Piece(id))
			}
		}
	}
	dir := t.TempDir()
	if err := Save(a, dir); err != nil {
		t.Fatal(err)
	}
	ids := filter(t, lines, "spm_encode", "--model="+filepath.Join(dir, ModelFile), "--output_format=id")
	for i, line := range lines {
		if got := strings.Trim(fmt.Sprint(a.unigram.Encode(line)), "[]"); got != ids[i] {
			t.Errorf("%q: got %s, spm_encode gives %s", line, got, ids[i])
		}
	}
}

// A sample is drawn by the seed, of the size that was asked for.
func TestTrainingSamples(t *testing.T) {
	text := trainingText(1000)
	o := DefaultTrainOptions(100)
	o.SentenceLimit = 100
	vocabulary := func(seed uint64) []byte {
		o.Seed = seed
		a, stats, err := Train(context.Background(), sentencesOf(text), o)
		if err != nil || stats.Sentences != 100 {
			t.Fatalf("trained on %d sentences, error %v; want 100", stats.Sentences, err)
		}
		return a.unigram.data
	}
	if !slices.Equal(vocabulary(1), vocabulary(1)) || slices.Equal(vocabulary(1), vocabulary(2)) {
		t.Error("a seed must give the same vocabulary every time, and another seed another")
	}
}

// Every sentence is drawn equally often, each at most once, and neither the draw nor the number of threads depends on
// the other.
func TestDraw(t *testing.T) {
	const all, limit, draws = 20, 5, 4000
	var text []string
	for i := range all {
		text = append(text, fmt.Sprint(i))
	}
	times := make([]int, all)
	for seed := range uint64(draws) {
		o := &TrainOptions{SentenceLimit: limit, Seed: seed}
		last, drawn := -1, 0
		for s, err := range draw(sentencesOf(text), all, o) {
			i, _ := strconv.Atoi(s)
			if err != nil || i <= last {
				t.Fatalf("drew %q after %d, error %v", s, last, err)
			}
			last = i
			drawn++
			times[i]++
		}
		if drawn != limit {
			t.Fatalf("drew %d, want %d", drawn, limit)
		}
	}
	const want = draws * limit / all
	deviation := math.Sqrt(want * (1 - float64(limit)/all))
	for i, n := range times {
		if math.Abs(float64(n-want)) > 5*deviation {
			t.Errorf("sentence %d was drawn %d times, want about %d", i, n, want)
		}
	}
	o := DefaultTrainOptions(100)
	o.SentenceLimit = 100
	var first []byte
	for _, o.Threads = range []int{1, 2, 5} {
		data := train(t, trainingText(1000), o).unigram.data
		if first == nil {
			first = data
		} else if !slices.Equal(data, first) {
			t.Errorf("of a sample, %d threads give another vocabulary than 1", o.Threads)
		}
	}
}

// Neither sentences nor the text around a word are held while words are counted, drawn or not.
func TestTrainingHoldsNoSentences(t *testing.T) {
	if testing.Short() {
		t.Skip("it reads some megabytes of text; not with -short")
	}
	const sentences = 4000
	common := strings.Repeat("to ", 1300)
	held := func() float64 { // the least of some measurements: one has what is allocated during it too
		least := math.Inf(1)
		for range 10 {
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			least = min(least, float64(m.HeapAlloc))
		}
		return least
	}
	for _, limit := range []int{sentences, sentences / 2} {
		before, after := held(), 0.0
		text := func(yield func(string, error) bool) {
			for i := range sentences {
				if !yield(fmt.Sprintf("%sword%d", common, i), nil) {
					return
				}
			}
			after = held()
		}
		o := DefaultTrainOptions(100)
		o.SentenceLimit, o.Threads = limit, 1 // three portions of sentences are on their way
		if _, _, err := Train(context.Background(), text, o); err != nil {
			t.Fatal(err)
		}
		if size := float64(sentences * len(common)); after-before > size/3 {
			t.Errorf("a limit of %d: %.1f MB are held when %.1f MB of text were read", limit, (after-before)/1e6, size/1e6)
		}
	}
}

func TestTrainRefuses(t *testing.T) {
	bad := errors.New("corpus.txt: line 3: not UTF-8")
	failing := func(yield func(string, error) bool) { _ = yield("some text", nil) && yield("", bad) }
	long := strings.Repeat("a", maxSentence+1)
	read := false
	once := func(yield func(string, error) bool) {
		if !read {
			sentencesOf(trainingText(200))(yield)
		}
		read = true
	}
	for _, test := range []struct {
		sentences iter.Seq2[string, error]
		change    func(*TrainOptions)
		want      string
	}{
		{sentencesOf(nil), nil, "the text has no words"},
		{sentencesOf([]string{long}), nil, "the text has no words"},
		{sentencesOf([]string{"aab aab abab"}), nil, "a vocabulary of 200 is larger than this text supports; ask for at most "},
		{sentencesOf(trainingText(100)), func(o *TrainOptions) { o.VocabSize = 20 }, "a vocabulary of 20 is too small"},
		{failing, nil, bad.Error()},
		{once, func(o *TrainOptions) { o.SentenceLimit = 50 }, "200 of 200 sentences were missing when the text was read again"},
		{sentencesOf(nil), func(o *TrainOptions) { o.CharacterCoverage = 1.5 }, "character coverage is 1.5"},
		{sentencesOf(nil), func(o *TrainOptions) { o.UserDefinedSymbols = []string{"[MASK]"} }, "is empty, not UTF-8, a special token, or given"},
		{sentencesOf(nil), func(o *TrainOptions) { o.ControlSymbols = []string{"("} }, `symbol "(" is empty, not UTF-8, a special`},
		{sentencesOf(nil), func(o *TrainOptions) { o.ControlSymbols = []string{"x"} }, `control symbol "x" is one character`},
		{sentencesOf(nil), func(o *TrainOptions) { o.UserDefinedSymbols = []string{"URL"} }, `symbol "URL" is never in a text, in which it becomes "url"`},
		{sentencesOf(nil), func(o *TrainOptions) { o.Threads = -1 }, "want neither below 0"},
	} {
		o := DefaultTrainOptions(200)
		if test.change != nil {
			test.change(&o)
		}
		if _, _, err := Train(context.Background(), test.sentences, o); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got error %v, want one that says %q", err, test.want)
		}
	}
}

// The size that the error names is the largest that works.
func TestTrainNamesTheLargestSize(t *testing.T) {
	text := trainingText(50)
	_, _, err := Train(context.Background(), sentencesOf(text), DefaultTrainOptions(100_000))
	if err == nil {
		t.Fatal("no error")
	}
	_, after, _ := strings.Cut(err.Error(), "at most ")
	var most int
	fmt.Sscan(after, &most)
	if _, _, err := Train(context.Background(), sentencesOf(text), DefaultTrainOptions(most)); err != nil {
		t.Errorf("the size %d was said to work: %v", most, err)
	}
	if _, _, err := Train(context.Background(), sentencesOf(text), DefaultTrainOptions(most+1)); err == nil {
		t.Errorf("a size above %d works too", most)
	}
}

func TestValidPiece(t *testing.T) {
	for text, want := range map[string]bool{
		"▁abc": true, "a▁b": false, "▁": true, "2000,": true, "a1": false, "abc.": false, "日本の": true, "éa": true,
		"aя": false, "e\u0301": true,
	} {
		if got := validPiece([]rune(text)); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}

// spm_encode reads the file and gives the same ids; and spm_train, on the same text and with the same flags, makes the
// text no more probable than we do, by more than half a per cent; nor other text, which it does not cut into fewer pieces
// by more than one per cent.
func TestTrainedAsSentencePiece(t *testing.T) {
	for _, program := range []string{"spm_train", "spm_encode"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not on PATH (Debian package sentencepiece)", program)
		}
	}
	text := trainingText(6000)
	for i := range text {
		text[i] = DefaultRules().Apply(text[i])
	}
	text, heldOut := text[:5000], text[5000:]
	dir := t.TempDir()
	input := filepath.Join(dir, "text")
	if err := os.WriteFile(input, []byte(strings.Join(text, "\n")+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	const size = 400
	run(t, "spm_train", "--input="+input, "--model_prefix="+filepath.Join(dir, "theirs"), fmt.Sprint("--vocab_size=", size),
		"--pad_id=0", "--unk_id=1", "--eos_id=-1", "--bos_id=-1", "--control_symbols=[CLS],[SEP],[MASK]",
		`--user_defined_symbols=(,),"""",-,.,–,£,€`, "--character_coverage=0.99995", "--model_type=unigram")
	theirs, err := ReadUnigram(filepath.Join(dir, "theirs.model"))
	if err != nil {
		t.Fatal(err)
	}
	a := train(t, text, DefaultTrainOptions(size))
	if err := Save(a, dir); err != nil {
		t.Fatal(err)
	}
	ids := strings.Split(run(t, "spm_encode", "--model="+filepath.Join(dir, ModelFile), "--output_format=id", input), "\n")
	for i, line := range text {
		if got, want := fmt.Sprint(a.unigram.Encode(line)), "["+ids[i]+"]"; got != want {
			t.Fatalf("%q: got %s, spm_encode gives %s", line, got, want)
		}
	}
	for name, text := range map[string][]string{"training text": text, "held-out text": heldOut} {
		ours, reference := nats(a.unigram, text), nats(theirs, text)
		tokens, referenceTokens := tokensOf(a.unigram, text), tokensOf(theirs, text)
		t.Logf("%s: nats: ours %.0f, spm_train's %.0f, %+.2f %%; tokens: %d and %d", name, ours, reference,
			100*(ours/reference-1), tokens, referenceTokens)
		if ours > 1.005*reference {
			t.Errorf("our vocabulary takes %.0f nats for the %s, spm_train's %.0f", ours, name, reference)
		}
		if float64(tokens) > 1.01*float64(referenceTokens) {
			t.Errorf("our vocabulary takes %d tokens for the %s, spm_train's %d", tokens, name, referenceTokens)
		}
	}
}

// tokensOf counts the tokens of text.
func tokensOf(u *Unigram, text []string) int {
	n := 0
	for _, line := range text {
		n += len(u.Encode(line))
	}
	return n
}

func run(t *testing.T, program string, arguments ...string) string {
	t.Helper()
	out, err := exec.Command(program, arguments...).Output()
	if err != nil {
		t.Fatalf("%s: %v", program, err)
	}
	return string(out)
}

// nats is -log probability of the best way to cut each line, under the normalized probabilities of the pieces.
func nats(u *Unigram, text []string) float64 {
	sum := 0.0
	for _, p := range u.pieces {
		if p.kind == normalPiece {
			sum += math.Exp(float64(p.score))
		}
	}
	total := 0.0
	for _, line := range text {
		for _, s := range u.segment(u.Normalize(line)) {
			if u.pieces[s.id].kind == normalPiece {
				total -= float64(u.pieces[s.id].score) - math.Log(sum)
			}
		}
	}
	return total
}
