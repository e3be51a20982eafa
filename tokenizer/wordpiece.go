package tokenizer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// VocabFile is the name of a WordPiece vocabulary in a checkpoint directory: a piece a line, its id the number of lines
// before it.
const VocabFile = "vocab.txt"

// The special tokens of BERT, besides [CLS], [SEP] and [MASK].
const (
	bertPadToken     = "[PAD]"
	bertUnknownToken = "[UNK]"
)

var bertSpecialTokens = []string{bertPadToken, bertUnknownToken, CLSToken, SEPToken, MASKToken}

const (
	continuingPrefix = "##" // of pieces that do not begin a word
	maxWord          = 100  // characters; a longer word is unknown
	maxPiece         = 1 << 16
)

// wordPiece is a vocabulary that cuts a word greedily: the longest piece that it begins with, then the longest ## piece
// that the rest begins with, and so on. A word that cannot be cut to its end is unknown as a whole.
//
// Schuster and Nakajima, "Japanese and Korean Voice Search", ICASSP 2012; Devlin et al., "BERT", arXiv:1810.04805.
type wordPiece struct {
	pieces     []string
	ids        map[string]int32
	initial    doubleArray // pieces that begin a word: all of them, as they are written
	continuing doubleArray // pieces with the prefix, without it
	unknown    int32
	maxWord    int
}

// newWordPiece makes the tries of a vocabulary. A piece that is empty has an id, but is in no text.
func newWordPiece(pieces []string, unknownToken, prefix string, maxWord int) (*wordPiece, error) {
	w := &wordPiece{pieces: pieces, ids: make(map[string]int32, len(pieces)), maxWord: maxWord}
	initial, continuing := map[string]int32{}, map[string]int32{}
	for i, p := range pieces {
		id := int32(i)
		if first, double := w.ids[p]; double {
			return nil, fmt.Errorf("ids %d and %d are both %q, want each piece once", first, id, p)
		}
		if len(p) > maxPiece || !utf8.ValidString(p) {
			return nil, fmt.Errorf("id %d is %.40q, want UTF-8 of at most %d bytes", id, p, maxPiece)
		}
		w.ids[p] = id
		if p != "" {
			initial[p] = id
		}
		if rest, ok := strings.CutPrefix(p, prefix); ok && rest != "" {
			continuing[rest] = id
		}
	}
	var ok bool
	if w.unknown, ok = w.ids[unknownToken]; !ok {
		return nil, fmt.Errorf("the vocabulary has no piece %s", unknownToken)
	}
	var err error
	if w.initial, err = trieOf(initial); err != nil {
		return nil, err
	}
	w.continuing, err = trieOf(continuing)
	return w, err
}

// trieOf builds the trie of keys and their values.
func trieOf(values map[string]int32) (doubleArray, error) {
	keys := make([]string, 0, len(values))
	for key := range values {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	ids := make([]int32, len(keys))
	for i, key := range keys {
		ids[i] = values[key]
	}
	return newDoubleArray(keys, ids)
}

// append appends the pieces of a word.
func (w *wordPiece) append(s *sink, word []alignedRune) {
	if len(word) > w.maxWord {
		s.add(w.unknown, word[0].start, word[len(word)-1].end)
		return
	}
	before := s.length()
	trie := w.initial
	for rest := word; len(rest) > 0; trie = w.continuing {
		id, n := longest(trie, rest)
		if n == 0 {
			s.truncate(before)
			s.add(w.unknown, word[0].start, word[len(word)-1].end)
			return
		}
		s.add(id, rest[0].start, rest[n-1].end)
		rest = rest[n:]
	}
}

// longest returns the value of the longest key that text begins with, and its length in characters; 0 if there is none.
func longest(trie doubleArray, text []alignedRune) (value int32, length int) {
	base := trie.root()
	var b [utf8.UTFMax]byte
	for i, c := range text {
		v := int32(-1)
		for _, x := range utf8.AppendRune(b[:0], c.r) {
			var ok bool
			if base, v, ok = trie.step(base, x); !ok {
				return value, length
			}
		}
		if v >= 0 {
			value, length = v, i+1
		}
	}
	return value, length
}

// A sink collects ids, or tokens if their place in the text is wanted.
type sink struct {
	ids    []int32
	tokens []Token
	placed bool
}

func (s *sink) add(id int32, start, end int) {
	if !s.placed {
		s.ids = append(s.ids, id)
		return
	}
	if n := len(s.tokens); n > 0 { // what joins a mark further on reaches past what lies between
		start, end = max(start, s.tokens[n-1].Start), max(end, s.tokens[n-1].End)
	}
	s.tokens = append(s.tokens, Token{ID: id, Start: start, End: end})
}

func (s *sink) length() int {
	if s.placed {
		return len(s.tokens)
	}
	return len(s.ids)
}

func (s *sink) truncate(length int) {
	if s.placed {
		s.tokens = s.tokens[:length]
	} else {
		s.ids = s.ids[:length]
	}
}

// Bert is BERT's tokenizer, which the Chinese ALBERTs have: words by BasicRules, pieces by WordPiece. It gives the ids
// of the slow BertTokenizer of transformers 4.57 (tokenization_bert.py).
type Bert struct {
	vocab   []byte // the file
	words   *wordPiece
	rules   BasicRules
	special SpecialIDs
	buffers sync.Pool // of *basicWords
}

var _ Tokenizer = (*Bert)(nil)

// OpenBert reads a vocab.txt, and the rules from the tokenizer_config.json beside it if there is one.
func OpenBert(path string) (*Bert, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("tokenizer: read vocabulary: %w", err)
	}
	rules, err := readBasicRules(filepath.Join(filepath.Dir(path), ConfigFile))
	if err != nil {
		return nil, err
	}
	t, err := NewBert(data, rules)
	if err != nil {
		return nil, fmt.Errorf("tokenizer: read %s: %w", path, err)
	}
	if err := checkAddedTokens(t, filepath.Dir(path), bertSpecialTokens); err != nil {
		return nil, err
	}
	return t, nil
}

// NewBert reads the bytes of a vocab.txt, which it keeps. The vocabulary must have BERT's special tokens.
func NewBert(vocab []byte, rules BasicRules) (*Bert, error) {
	if len(bytes.TrimSpace(vocab)) == 0 {
		return nil, errors.New("the file is empty, want a text file with a piece a line")
	}
	if !utf8.Valid(vocab) {
		return nil, errors.New("not UTF-8, want a text file with a piece a line")
	}
	words, err := newWordPiece(vocabLines(string(vocab)), bertUnknownToken, continuingPrefix, maxWord)
	if err != nil {
		return nil, err
	}
	t := &Bert{vocab: vocab, words: words, rules: rules}
	t.buffers.New = func() any { return new(basicWords) }
	ids := []*int32{&t.special.Pad, &t.special.Unknown, &t.special.CLS, &t.special.SEP, &t.special.MASK}
	for i, token := range bertSpecialTokens {
		id, ok := words.ids[token]
		if !ok {
			return nil, fmt.Errorf("the vocabulary has no piece %s, want BERT's %s; it belongs to another model",
				token, strings.Join(bertSpecialTokens, " "))
		}
		*ids[i] = id
	}
	return t, nil
}

// vocabLines returns the lines of a vocab.txt, ended as Python reads text: by \n, \r\n or \r.
func vocabLines(text string) []string {
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
}

// Rules returns what is done to text first.
func (t *Bert) Rules() BasicRules { return t.rules }

// VocabSize returns V.
func (t *Bert) VocabSize() int { return len(t.words.pieces) }

// Piece returns the text of an id; it is empty outside [0, V).
func (t *Bert) Piece(id int32) string {
	if id < 0 || int(id) >= len(t.words.pieces) {
		return ""
	}
	return t.words.pieces[id]
}

// ID returns the id of a piece, and whether the vocabulary has it.
func (t *Bert) ID(piece string) (int32, bool) {
	id, ok := t.words.ids[piece]
	return id, ok
}

// Special returns the ids of the special tokens.
func (t *Bert) Special() SpecialIDs { return t.special }

// StartsWord says whether a piece begins a word: it has no ## in front.
func (t *Bert) StartsWord(id int32) bool {
	return id >= 0 && int(id) < len(t.words.pieces) && !strings.HasPrefix(t.words.pieces[id], continuingPrefix)
}

// Encode returns the ids of text, without [CLS] and [SEP] around them.
func (t *Bert) Encode(text string) []int32 { return t.AppendEncode(nil, text) }

// AppendEncode appends the ids of text to dst.
func (t *Bert) AppendEncode(dst []int32, text string) []int32 {
	s := sink{ids: dst}
	t.encode(&s, text)
	return s.ids
}

// AppendTokens appends the tokens of text to dst. A token's bytes are those of the characters it is made of, with the
// marks that were dropped after them; of an unknown token, those of the word.
func (t *Bert) AppendTokens(dst []Token, text string) []Token {
	first := len(dst)
	s := sink{tokens: dst[first:], placed: true}
	t.encode(&s, text)
	return append(dst, s.tokens...)
}

func (t *Bert) encode(s *sink, text string) {
	w := t.buffers.Get().(*basicWords)
	defer t.buffers.Put(w)
	for base := 0; base < len(text); {
		part := text[base : base+chunk(text[base:])]
		for part != "" {
			at, token := firstToken(part, bertSpecialTokens)
			w.split(t.rules, bertSpecialTokens, part[:at], base)
			for _, span := range w.words {
				t.words.append(s, w.text[span.start:span.end])
			}
			base += at + len(token)
			part = part[at+len(token):]
			if token != "" {
				s.add(t.words.ids[token], base-len(token), base)
			}
		}
	}
}

// firstToken finds the first of tokens that is written out in text; all begin with "[". Without one, at is the length
// of text.
func firstToken(text string, tokens []string) (at int, token string) {
	for at < len(text) {
		next := strings.IndexByte(text[at:], '[')
		if next < 0 {
			break
		}
		at += next
		for _, token := range tokens {
			if strings.HasPrefix(text[at:], token) {
				return at, token
			}
		}
		at++
	}
	return len(text), ""
}

// Decode returns the text of ids as BertTokenizer.decode does without its clean-up of spaces before punctuation: pieces
// with a space between them, but for those with ##.
func (t *Bert) Decode(ids []int32) string {
	pieces := make([]string, len(ids))
	for i, id := range ids {
		if pieces[i] = bertUnknownToken; id >= 0 && int(id) < len(t.words.pieces) {
			pieces[i] = t.words.pieces[id]
		}
	}
	return strings.TrimFunc(strings.ReplaceAll(strings.Join(pieces, " "), " "+continuingPrefix, ""), isSpace)
}

// bertConfig is the part of tokenizer_config.json that BertTokenizer reads.
type bertConfig struct {
	TokenizerClass  string                `json:"tokenizer_class"`
	DoLowerCase     *bool                 `json:"do_lower_case"`
	DoBasicTokenize *bool                 `json:"do_basic_tokenize,omitempty"`
	TokenizeChinese *bool                 `json:"tokenize_chinese_chars"`
	StripAccents    *bool                 `json:"strip_accents"`
	NeverSplit      []string              `json:"never_split,omitempty"`
	UnknownToken    specialText           `json:"unk_token"`
	SEPToken        specialText           `json:"sep_token"`
	PadToken        specialText           `json:"pad_token"`
	CLSToken        specialText           `json:"cls_token"`
	MASKToken       specialText           `json:"mask_token"`
	AddedTokens     map[string]addedToken `json:"added_tokens_decoder"` // by id
}

// readBasicRules reads the rules of a tokenizer_config.json; what it does not say, or a missing file, leaves the
// default. What this package cannot do as transformers does is refused.
func readBasicRules(path string) (BasicRules, error) {
	rules := DefaultBasicRules()
	var c bertConfig
	if err := readJSON(path, &c); err != nil {
		return rules, err
	}
	if err := c.check(); err != nil {
		return rules, fmt.Errorf("tokenizer: read %s: %w", path, err)
	}
	if c.DoLowerCase != nil {
		rules.LowerCase = *c.DoLowerCase
	}
	if c.TokenizeChinese != nil {
		rules.TokenizeChinese = *c.TokenizeChinese
	}
	rules.StripAccents = c.StripAccents
	return rules, nil
}

func (c *bertConfig) check() error {
	if c.DoBasicTokenize != nil && !*c.DoBasicTokenize {
		return errors.New("do_basic_tokenize is false, which is not supported; want true")
	}
	if len(c.NeverSplit) > 0 {
		return fmt.Errorf("never_split is %q, which is not supported; want none", c.NeverSplit)
	}
	return nil
}

// save writes vocab.txt, byte for byte as it was read or trained, and tokenizer_config.json.
func (t *Bert) save(dir string) error {
	c := bertConfig{
		TokenizerClass:  "BertTokenizer",
		DoLowerCase:     &t.rules.LowerCase,
		TokenizeChinese: &t.rules.TokenizeChinese,
		StripAccents:    t.rules.StripAccents,
		UnknownToken:    bertUnknownToken,
		SEPToken:        SEPToken,
		PadToken:        bertPadToken,
		CLSToken:        CLSToken,
		MASKToken:       MASKToken,
		AddedTokens:     make(map[string]addedToken),
	}
	for _, token := range bertSpecialTokens {
		c.AddedTokens[strconv.Itoa(int(t.words.ids[token]))] = addedToken{Content: token, Special: true}
	}
	config, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("tokenizer: save %s: %w", dir, err)
	}
	if err := writeFile(filepath.Join(dir, VocabFile), t.vocab); err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, ConfigFile), append(config, '\n'))
}
