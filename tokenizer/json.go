package tokenizer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"unicode"
)

// JSONFile is the name of a tokenizer of the Hugging Face library tokenizers in a checkpoint directory.
const JSONFile = "tokenizer.json"

// Pipeline is a tokenizer.json, run as the library tokenizers (0.22) runs it:
//
//	text ──added tokens──▶ parts ──normalizers──▶ ──more added tokens──▶ ──pre-tokenizers──▶ words ──model──▶ pieces
//
// The model is Unigram or WordPiece. What is not supported is refused by name when the file is read. The file's
// truncation and padding are not applied, and of its post-processor only the special tokens are used.
//
// The library's tables of Unicode are not Go's 15: its decompositions are of Unicode 9, its categories of 8, its lower
// case is of 16. A character that is newer than such a table has its properties in one and none in the other.
type Pipeline struct {
	data          []byte // the file
	plain         *addedTokens
	normalized    *addedTokens
	normalizers   []normalizerStep
	preTokenizers []preTokenizer
	model         pieceModel
	kind          string // of the model
	decoder       decoder
	pieces        []string
	ids           map[string]int32
	special       SpecialIDs
	startsWord    []bool
	buffers       sync.Pool // of *pipelineBuffers
}

var _ Tokenizer = (*Pipeline)(nil)

// A pieceModel cuts words into pieces.
type pieceModel interface {
	append(s *sink, word []alignedRune)
}

// OpenPipeline reads a tokenizer.json.
func OpenPipeline(path string) (*Pipeline, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("tokenizer: read vocabulary: %w", err)
	}
	p, err := ParsePipeline(data)
	if err != nil {
		return nil, fmt.Errorf("tokenizer: read %s: %w", path, err)
	}
	return p, nil
}

// pipelineFile is a tokenizer.json.
type pipelineFile struct {
	Version       string           `json:"version"`
	Padding       *pipelinePadding `json:"padding"`
	AddedTokens   []addedTokenID   `json:"added_tokens"`
	Normalizer    json.RawMessage  `json:"normalizer"`
	PreTokenizer  json.RawMessage  `json:"pre_tokenizer"`
	PostProcessor json.RawMessage  `json:"post_processor"`
	Decoder       json.RawMessage  `json:"decoder"`
	Model         json.RawMessage  `json:"model"`
}

type pipelinePadding struct {
	PadToken string `json:"pad_token"`
}

type addedTokenID struct {
	addedToken
	ID int32 `json:"id"`
}

// ParsePipeline reads the bytes of a tokenizer.json, which it keeps.
func ParsePipeline(data []byte) (*Pipeline, error) {
	var f pipelineFile
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("not valid JSON of a tokenizer: %w", err)
	}
	if f.Version != "1.0" {
		return nil, fmt.Errorf("version is %q, want \"1.0\"; want the library tokenizers' file", f.Version)
	}
	p := &Pipeline{data: data}
	p.buffers.New = func() any { return new(pipelineBuffers) }
	var err error
	if p.normalizers, err = parseNormalizers(f.Normalizer); err != nil {
		return nil, fmt.Errorf("normalizer: %w", err)
	}
	if p.preTokenizers, err = parsePreTokenizers(f.PreTokenizer); err != nil {
		return nil, fmt.Errorf("pre_tokenizer: %w", err)
	}
	if p.decoder, err = parseDecoder(f.Decoder); err != nil {
		return nil, fmt.Errorf("decoder: %w", err)
	}
	if err := p.parseModel(f.Model); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if err := p.addTokens(f.AddedTokens); err != nil {
		return nil, fmt.Errorf("added_tokens: %w", err)
	}
	if err := p.findSpecial(&f); err != nil {
		return nil, err
	}
	return p, nil
}

// typeOf returns the key type of an object; it is empty for null, and for nothing.
func typeOf(data json.RawMessage) (string, error) {
	if isNull(data) {
		return "", nil
	}
	var object struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(data, &object); err != nil {
		return "", err
	}
	if object.Type == "" {
		return "", errors.New("it has no type")
	}
	return object.Type, nil
}

func isNull(data json.RawMessage) bool { return len(data) == 0 || bytes.Equal(data, []byte("null")) }

func (p *Pipeline) parseModel(data json.RawMessage) error {
	kind, err := typeOf(data)
	if err != nil {
		return err
	}
	p.kind = kind
	switch kind {
	case "WordPiece":
		w, prefix, err := parseWordPiece(data)
		if err != nil {
			return err
		}
		p.model, p.pieces, p.ids = w, w.pieces, w.ids
		p.special.Unknown = w.unknown
		p.startsWord = make([]bool, len(w.pieces))
		for i, piece := range w.pieces {
			p.startsWord[i] = !strings.HasPrefix(piece, prefix)
		}
	case "Unigram":
		u, err := parseUnigram64(data)
		if err != nil {
			return err
		}
		p.model, p.pieces, p.ids = u, u.pieces, u.ids
		p.special.Unknown = u.unknown
		p.startsWord = make([]bool, len(u.pieces))
		for i, piece := range u.pieces {
			p.startsWord[i] = startsWord(piece)
		}
	default:
		return fmt.Errorf("%q is not supported, want Unigram or WordPiece", kind)
	}
	return nil
}

// parseWordPiece reads a model of type WordPiece.
func parseWordPiece(data json.RawMessage) (w *wordPiece, prefix string, err error) {
	var m struct {
		UnknownToken *string          `json:"unk_token"`
		Prefix       *string          `json:"continuing_subword_prefix"`
		MaxWord      *int             `json:"max_input_chars_per_word"`
		Vocab        map[string]int32 `json:"vocab"`
	}
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, "", err
	}
	if m.UnknownToken == nil || m.Prefix == nil || m.MaxWord == nil {
		return nil, "", errors.New("want unk_token, continuing_subword_prefix and max_input_chars_per_word")
	}
	pieces := make([]string, len(m.Vocab))
	seen := make([]bool, len(m.Vocab))
	for piece, id := range m.Vocab {
		if id < 0 || int(id) >= len(pieces) || seen[id] {
			return nil, "", fmt.Errorf("%q has id %d, want the ids 0 to %d once each", piece, id, len(pieces)-1)
		}
		pieces[id], seen[id] = piece, true
	}
	w, err = newWordPiece(pieces, *m.UnknownToken, *m.Prefix, *m.MaxWord)
	return w, *m.Prefix, err
}

// addTokens gives added tokens that the model lacks the ids after the model's, as the library does, and makes what
// finds added tokens in text.
func (p *Pipeline) addTokens(tokens []addedTokenID) error {
	seen := map[string]bool{}
	for _, token := range tokens {
		if token.Content == "" || seen[token.Content] {
			return fmt.Errorf("token %d is %q, want text that no other one has", token.ID, token.Content)
		}
		seen[token.Content] = true
		id, ok := p.ids[token.Content]
		if !ok {
			id = int32(len(p.pieces))
			p.pieces = append(p.pieces, token.Content)
			p.startsWord = append(p.startsWord, true)
			p.ids[token.Content] = id
		}
		if token.ID != id {
			return fmt.Errorf("%q has id %d, but gets id %d; the file is damaged", token.Content, token.ID, id)
		}
	}
	var err error
	if p.plain, err = newAddedTokens(tokens, false, nil); err != nil {
		return err
	}
	p.normalized, err = newAddedTokens(tokens, true, p.normalizers)
	return err
}

// findSpecial finds the ids of the special tokens: [CLS] and [SEP] by the post-processor, the others by their names.
func (p *Pipeline) findSpecial(f *pipelineFile) error {
	cls, sep, err := parsePostProcessor(f.PostProcessor)
	if err != nil {
		return fmt.Errorf("post_processor: %w", err)
	}
	pad := []string{bertPadToken, PadToken}
	if f.Padding != nil && f.Padding.PadToken != "" {
		pad = []string{f.Padding.PadToken}
	}
	for _, token := range []struct {
		id    *int32
		names []string
	}{
		{&p.special.Pad, pad},
		{&p.special.CLS, []string{cls}},
		{&p.special.SEP, []string{sep}},
		{&p.special.MASK, []string{MASKToken, "<mask>"}},
	} {
		found := false
		for _, name := range token.names {
			if id, ok := p.ids[name]; ok && !found {
				*token.id, found = id, true
			}
		}
		if !found {
			return fmt.Errorf("the vocabulary has no token %s; it belongs to another kind of model",
				strings.Join(token.names, " or "))
		}
	}
	return nil
}

// parsePostProcessor returns the tokens [CLS] and [SEP]. What is put around text must be what BuildInputs puts there.
func parsePostProcessor(data json.RawMessage) (cls, sep string, err error) {
	kind, err := typeOf(data)
	if err != nil {
		return "", "", err
	}
	switch kind {
	case "":
		return CLSToken, SEPToken, nil
	case "BertProcessing":
		var b struct {
			SEP []any `json:"sep"` // text and id
			CLS []any `json:"cls"`
		}
		if err := json.Unmarshal(data, &b); err != nil {
			return "", "", err
		}
		if len(b.SEP) == 2 && len(b.CLS) == 2 {
			cls, _ = b.CLS[0].(string)
			sep, _ = b.SEP[0].(string)
		}
		if cls == "" || sep == "" {
			return "", "", fmt.Errorf("%s: want sep and cls, each with text and id", kind)
		}
		return cls, sep, nil
	case "TemplateProcessing":
		var t struct{ Single, Pair []templatePiece }
		if err := json.Unmarshal(data, &t); err != nil {
			return "", "", err
		}
		single, pair := template(t.Single), template(t.Pair)
		if len(t.Single) == 3 && t.Single[0].SpecialToken != nil && t.Single[2].SpecialToken != nil {
			cls, sep = t.Single[0].SpecialToken.ID, t.Single[2].SpecialToken.ID
		}
		if cls == "" || single != cls+":0 $A:0 "+sep+":0" || pair != single+" $B:1 "+sep+":1" {
			return "", "", fmt.Errorf("%s: %q and %q are not supported, want [CLS]:0 $A:0 [SEP]:0 and the "+
				"same with $B:1 [SEP]:1", kind, single, pair)
		}
		return cls, sep, nil
	}
	return "", "", fmt.Errorf("%s: not supported, want TemplateProcessing or BertProcessing", kind)
}

// A templatePiece is a special token or one of the sequences A and B.
type templatePiece struct {
	SpecialToken, Sequence *struct {
		ID     string `json:"id"`
		TypeID int    `json:"type_id"`
	}
}

// template writes a template as the library does in its documentation.
func template(pieces []templatePiece) string {
	var words []string
	for _, piece := range pieces {
		switch {
		case piece.SpecialToken != nil:
			words = append(words, fmt.Sprintf("%s:%d", piece.SpecialToken.ID, piece.SpecialToken.TypeID))
		case piece.Sequence != nil:
			words = append(words, fmt.Sprintf("$%s:%d", piece.Sequence.ID, piece.Sequence.TypeID))
		}
	}
	return strings.Join(words, " ")
}

// Model returns the type of the model: Unigram or WordPiece.
func (p *Pipeline) Model() string { return p.kind }

// VocabSize returns V, added tokens included.
func (p *Pipeline) VocabSize() int { return len(p.pieces) }

// Piece returns the text of an id; it is empty outside [0, V).
func (p *Pipeline) Piece(id int32) string {
	if id < 0 || int(id) >= len(p.pieces) {
		return ""
	}
	return p.pieces[id]
}

// ID returns the id of a piece, and whether the vocabulary has it.
func (p *Pipeline) ID(piece string) (int32, bool) {
	id, ok := p.ids[piece]
	return id, ok
}

// Special returns the ids of the special tokens.
func (p *Pipeline) Special() SpecialIDs { return p.special }

// StartsWord says whether a piece begins a word: in WordPiece one without ## in front, in Unigram as for ALBERT's.
func (p *Pipeline) StartsWord(id int32) bool {
	return id >= 0 && int(id) < len(p.startsWord) && p.startsWord[id]
}

// Encode returns the ids of text, without [CLS] and [SEP] around them.
func (p *Pipeline) Encode(text string) []int32 { return p.AppendEncode(nil, text) }

// AppendEncode appends the ids of text to dst.
func (p *Pipeline) AppendEncode(dst []int32, text string) []int32 {
	s := sink{ids: dst}
	p.encode(&s, text)
	return s.ids
}

// AppendTokens appends the tokens of text to dst. A token's bytes are those of the characters that it is made of; the
// library's offsets are these with the white space around.
func (p *Pipeline) AppendTokens(dst []Token, text string) []Token {
	first := len(dst)
	s := sink{tokens: dst[first:], placed: true}
	p.encode(&s, text)
	for i, token := range s.tokens {
		s.tokens[i].Start, s.tokens[i].End = trimSpace(text, token.Start, token.End)
	}
	return append(dst, s.tokens...)
}

// trimSpace leaves out white space at both ends of text[start:end], unless it is all.
func trimSpace(text string, start, end int) (int, int) {
	part := text[start:end]
	trimmed := strings.TrimLeftFunc(part, unicode.IsSpace)
	if trimmed == "" {
		return start, end
	}
	return end - len(trimmed), end - len(trimmed) + len(strings.TrimRightFunc(trimmed, unicode.IsSpace))
}

// pipelineBuffers are the buffers of one encoding.
type pipelineBuffers struct {
	text  []alignedRune
	first stepBuffers
	words [2]splitText
}

func (p *Pipeline) encode(s *sink, text string) {
	b := p.buffers.Get().(*pipelineBuffers)
	defer p.buffers.Put(b)
	b.text = appendAligned(b.text[:0], text, 0)
	for m := (matches{tokens: p.plain, text: b.text}); m.next(); {
		if m.found {
			s.add(m.id, b.text[m.start].start, b.text[m.end-1].end)
			continue
		}
		p.encodePart(s, b, b.text[m.start:m.end])
	}
}

// encodePart encodes text between added tokens.
func (p *Pipeline) encodePart(s *sink, b *pipelineBuffers, part []alignedRune) {
	normalized := b.first.apply(p.normalizers, part)
	for m := (matches{tokens: p.normalized, text: normalized}); m.next(); {
		if m.found {
			s.add(m.id, normalized[m.start].start, normalized[m.end-1].end)
			continue
		}
		words := b.split(p.preTokenizers, normalized[m.start:m.end])
		for _, span := range words.spans {
			p.model.append(s, words.text[span.start:span.end])
		}
	}
}

// Decode returns the text of ids as Tokenizer.decode of the library does with skip_special_tokens=False.
func (p *Pipeline) Decode(ids []int32) string {
	pieces := make([]string, len(ids))
	for i, id := range ids {
		if pieces[i] = p.Piece(p.special.Unknown); id >= 0 && int(id) < len(p.pieces) {
			pieces[i] = p.pieces[id]
		}
	}
	return p.decoder(pieces)
}

// save writes the tokenizer.json byte for byte as it was read.
func (p *Pipeline) save(dir string) error { return writeFile(filepath.Join(dir, JSONFile), p.data) }
