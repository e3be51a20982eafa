package tokenizer

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"unicode/utf8"
)

// TrainOptions say what vocabulary is trained.
type TrainOptions struct {
	VocabSize          int      // pieces in all, special tokens and symbols included
	CharacterCoverage  float64  // share of the text whose characters are pieces; the others are unknown
	ControlSymbols     []string // pieces that no text has: their ids are for programs
	UserDefinedSymbols []string // always pieces of their own
	Rules              Rules    // applied to the text first, and to whatever is encoded later

	SentenceLimit int    // most sentences that are trained on, drawn at random; 0 is no limit
	Seed          uint64 // of that draw

	Threads  int                 // 0 is one a processor; the result does not depend on it
	Progress func(TrainProgress) // nil is none
}

// DefaultTrainOptions are those of ALBERT's English vocabulary, as its README gives them to spm_train.
func DefaultTrainOptions(vocabSize int) TrainOptions {
	return TrainOptions{
		VocabSize:          vocabSize,
		CharacterCoverage:  0.99995,
		UserDefinedSymbols: []string{"(", ")", `"`, "-", ".", "–", "£", "€"},
		Rules:              DefaultRules(),
		SentenceLimit:      10_000_000,
	}
}

// TrainStats say what a vocabulary was trained on.
type TrainStats struct {
	Sentences  int `json:"sentences"`
	TooLong    int `json:"too_long"`   // sentences of more than 4,192 bytes, left out as spm_train does
	Words      int `json:"words"`      // different ones
	Characters int `json:"characters"` // that are pieces
	Seeds      int `json:"seeds"`      // pieces that training began with
}

// TrainProgress is told after each step of expectation and maximization.
type TrainProgress struct {
	Pieces           int     // still there
	NatsPerCharacter float64 // -log probability of the training text
}

// Train trains a unigram vocabulary with ALBERT's special tokens:
//
//	<pad> 0   <unk> 1   [CLS] 2   [SEP] 3   [MASK] 4   control symbols   user-defined symbols   pieces, the most
//	probable first
//
// It is the training of Kudo (arXiv:1804.10959), as SentencePiece does it: from many pieces, expectation and
// maximization, and pruning of those that matter least, until there are as many as wanted. The same text and options
// give the same vocabulary. An error that sentences yields is returned. Memory grows with the number of different words
// alone; where there are more sentences than the limit they are ranged over twice.
func Train(ctx context.Context, sentences iter.Seq2[string, error], o TrainOptions) (*Albert, TrainStats, error) {
	if err := o.complete(); err != nil {
		return nil, TrainStats{}, err
	}
	normalization, err := trainNormalization()
	if err != nil {
		return nil, TrainStats{}, fmt.Errorf("tokenizer: train: %w", err)
	}
	n, err := newNormalizer(normalization, nil)
	if err != nil {
		return nil, TrainStats{}, fmt.Errorf("tokenizer: train: %w", err)
	}
	w, err := collect(ctx, sentences, &o, n)
	if err != nil {
		return nil, TrainStats{}, err
	}
	t := newTrainer(w, &o)
	if err := t.run(ctx); err != nil {
		return nil, t.stats, err
	}
	m := &modelProto{pieces: t.vocabulary(), trainer: o.spec(), normalizer: normalization}
	u, err := ParseUnigram(m.marshal())
	if err != nil {
		return nil, t.stats, fmt.Errorf("tokenizer: train: the vocabulary is wrong, please report it: %w", err)
	}
	a, err := NewAlbert(u, o.Rules)
	return a, t.stats, err
}

// complete fills in what was left out, and refuses what cannot be.
func (o *TrainOptions) complete() error {
	if o.Threads == 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	if o.Threads < 0 || o.SentenceLimit < 0 {
		return fmt.Errorf("tokenizer: train: %d threads and a limit of %d sentences, want neither below 0", o.Threads, o.SentenceLimit)
	}
	if !(o.CharacterCoverage > 0 && o.CharacterCoverage <= 1) {
		return fmt.Errorf("tokenizer: train: character coverage is %v, want above 0, at most 1", o.CharacterCoverage)
	}
	symbols := slices.Concat(specialTokens, o.ControlSymbols, o.UserDefinedSymbols)
	for i, s := range symbols {
		if s == "" || !utf8.ValidString(s) || slices.Contains(symbols[:i], s) {
			return fmt.Errorf("tokenizer: train: control or user-defined symbol %q is empty, not UTF-8, a special token, or given "+
				"twice", s)
		}
	}
	for _, s := range o.ControlSymbols {
		if utf8.RuneCountInString(s) == 1 {
			return fmt.Errorf("tokenizer: train: control symbol %q is one character, which text may have; want more", s)
		}
	}
	for _, s := range o.UserDefinedSymbols {
		if changed := o.Rules.Apply(s); changed != s {
			return fmt.Errorf("tokenizer: train: user-defined symbol %q is never in a text, in which it becomes %q first; give "+
				"it as that, or other rules (lower case %v, keep accents %v)", s, changed, o.Rules.LowerCase, o.Rules.KeepAccents)
		}
	}
	return nil
}

// trainNormalization is what spm_train calls nmt_nfkc, with a space in front.
func trainNormalization() (normalizerSpec, error) {
	charsmap, err := nmtNFKCCharsmap()
	return normalizerSpec{
		name: nmtNFKC, precompiledCharsmap: charsmap,
		addDummyPrefix: true, removeExtraWhitespaces: true, escapeWhitespaces: true,
	}, err
}

// spec is what the file says of its training.
func (o *TrainOptions) spec() trainerSpec {
	return trainerSpec{
		modelType: 1, vocabSize: int32(o.VocabSize), characterCoverage: float32(o.CharacterCoverage),
		controlSymbols:     append([]string{CLSToken, SEPToken, MASKToken}, o.ControlSymbols...),
		userDefinedSymbols: o.UserDefinedSymbols,
		padID:              0, unknownID: 1, bosID: -1, eosID: -1, padPiece: PadToken, unknownPiece: UnknownToken,
	}
}

// trainer is a vocabulary on its way.
type trainer struct {
	options    *TrainOptions
	stats      TrainStats
	characters map[rune]int
	length     float64 // characters of the text
	words      []lattice
	texts      []lattice // of the pieces themselves
	pieces     []candidate
	scores     []float64 // of the pieces
}

func newTrainer(w *words, o *TrainOptions) *trainer {
	t := &trainer{options: o, stats: w.stats, characters: w.characters}
	t.pieces = slices.DeleteFunc(seeds(w), func(c candidate) bool { return slices.Contains(o.ControlSymbols, c.text) })
	t.stats.Seeds = len(t.pieces)
	ids := make(map[string]int32, len(t.pieces))
	texts := make([]word, len(t.pieces))
	counts := make([]float64, len(t.pieces))
	for i, p := range t.pieces {
		ids[p.text] = int32(i)
		texts[i] = word{text: []rune(p.text)}
		counts[i] = p.count
	}
	t.words, t.texts = lattices(w.list, ids, o.Threads), lattices(texts, ids, o.Threads)
	t.scores = maximization(counts)
	for _, x := range w.list {
		t.length += float64(len(x.text) * x.count)
	}
	return t
}

// The pieces that are kept until the last maximization are a little more than are wanted, so that probability can
// choose among them; and a piece that is expected to be used less than half a time is dropped. Both as in SentencePiece.
const (
	surplus       = 1.1
	leastExpected = 0.5
)

// run makes the pieces fewer until they are as many as wanted, and a little more.
func (t *trainer) run(ctx context.Context) error {
	meta := len(t.options.meta())
	if least := meta + len(t.characters); t.options.VocabSize < least {
		return fmt.Errorf("tokenizer: train: a vocabulary of %d is too small: special tokens, symbols and "+
			"characters are %d; ask for at least that many, or for less character coverage", t.options.VocabSize, least)
	}
	wanted := int(surplus * float64(t.options.VocabSize))
	for {
		for range 2 {
			if err := ctx.Err(); err != nil {
				return err
			}
			t.step()
		}
		if len(t.pieces) <= wanted {
			break
		}
		t.keep(t.prune(wanted))
	}
	if most := meta + len(t.pieces); t.options.VocabSize > most {
		return fmt.Errorf("tokenizer: train: a vocabulary of %d is larger than this text supports; ask for at most %d, "+
			"or give more text", t.options.VocabSize, most)
	}
	return nil
}

// step is one step of expectation and maximization. Single characters stay, however rare: with them every text that is
// covered can be written.
func (t *trainer) step() {
	counts, logLikelihood := expectation(t.words, t.scores, t.options.Threads)
	keep := make([]bool, len(counts))
	for i, c := range counts {
		if character := t.texts[i].length == 1; character {
			counts[i] = max(c, leastExpected)
		}
		keep[i] = counts[i] >= leastExpected
		t.pieces[i].count = counts[i]
	}
	t.keep(keep)
	counts = counts[:0]
	for _, p := range t.pieces {
		counts = append(counts, p.count)
	}
	t.scores = maximization(counts)
	if t.options.Progress != nil {
		t.options.Progress(TrainProgress{Pieces: len(t.pieces), NatsPerCharacter: -logLikelihood / t.length})
	}
}

// keep drops the pieces that are not to be kept, and their edges.
func (t *trainer) keep(keep []bool) {
	ids := make([]int32, len(keep))
	kept := 0
	for i, k := range keep {
		ids[i] = -1
		if k {
			ids[i] = int32(kept)
			t.pieces[kept], t.texts[kept], t.scores[kept] = t.pieces[i], t.texts[i], t.scores[i]
			kept++
		}
	}
	t.pieces, t.texts, t.scores = t.pieces[:kept], t.texts[:kept], t.scores[:kept]
	for _, all := range [][]lattice{t.words, t.texts} {
		inChunks(len(all), t.options.Threads, func(_, lo, hi int) {
			for i := lo; i < hi; i++ {
				all[i].renumber(ids)
			}
		})
	}
}

// renumber gives edges the new ids of their pieces, and drops those of pieces that are gone.
func (l *lattice) renumber(ids []int32) {
	l.edges = slices.DeleteFunc(l.edges, func(e edge) bool { return ids[e.id] < 0 })
	for i := range l.edges {
		l.edges[i].id = ids[l.edges[i].id]
	}
}

// meta returns the pieces that are not learned.
func (o *TrainOptions) meta() []piece {
	pieces := []piece{
		{text: PadToken, kind: controlPiece},
		{text: UnknownToken, kind: unknownPiece},
		{text: CLSToken, kind: controlPiece},
		{text: SEPToken, kind: controlPiece},
		{text: MASKToken, kind: controlPiece},
	}
	for _, s := range o.ControlSymbols {
		pieces = append(pieces, piece{text: s, kind: controlPiece})
	}
	for _, s := range o.UserDefinedSymbols {
		pieces = append(pieces, piece{text: s, kind: userDefinedPiece})
	}
	return pieces
}

// vocabulary returns exactly as many pieces as are wanted: all characters, and the most probable of the others.
func (t *trainer) vocabulary() []piece {
	pieces := t.options.meta()
	room := t.options.VocabSize - len(pieces) - len(t.characters)
	order := make([]int, len(t.pieces))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(t.scores[b], t.scores[a]), cmp.Compare(t.pieces[a].text, t.pieces[b].text))
	})
	for _, i := range order {
		if t.texts[i].length > 1 {
			if room == 0 {
				continue
			}
			room--
		}
		pieces = append(pieces, piece{text: t.pieces[i].text, score: float32(t.scores[i]), kind: normalPiece})
	}
	return pieces
}
