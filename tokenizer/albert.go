package tokenizer

import (
	"fmt"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The special tokens of ALBERT.
const (
	PadToken     = "<pad>"
	UnknownToken = "<unk>"
	CLSToken     = "[CLS]"
	SEPToken     = "[SEP]"
	MASKToken    = "[MASK]"
)

var specialTokens = []string{PadToken, UnknownToken, CLSToken, SEPToken, MASKToken}

// Albert is ALBERT's tokenizer: a unigram model, the rules before it, and the digit-comma rule after it. It gives the
// ids of the slow AlbertTokenizer of transformers 4.57 (tokenization_albert.py), with which the released models were
// converted; the fast one and transformers 5 lack the digit-comma rule.
//
// The scores are summed as by SentencePiece 0.1.97, Debian's spm_encode. SentencePiece 0.2 rounds a sum to float32 before
// it compares it and gives user-defined pieces their own score, so that ways to cut a word that are equally probable may
// be chosen differently (brrr as br rr r or as br r rr): in 12 of the 471,295 lines of the books and of WikiText-2.
type Albert struct {
	unigram    *Unigram
	rules      Rules
	special    SpecialIDs
	specialIDs []int32 // of specialTokens
	comma      int32   // the id of ","
	startsWord []bool
	digitComma []bool // whether a piece ends with a digit and a comma
}

var _ Tokenizer = (*Albert)(nil)

// OpenAlbert reads a spiece.model, and the rules from the tokenizer_config.json beside it if there is one.
func OpenAlbert(path string) (*Albert, error) {
	u, err := ReadUnigram(path)
	if err != nil {
		return nil, err
	}
	rules, err := readRules(filepath.Join(filepath.Dir(path), ConfigFile))
	if err != nil {
		return nil, err
	}
	t, err := NewAlbert(u, rules)
	if err != nil {
		return nil, fmt.Errorf("tokenizer: open %s: %w", path, err)
	}
	if err := checkAddedTokens(t, filepath.Dir(path), specialTokens); err != nil {
		return nil, err
	}
	return t, nil
}

// NewAlbert puts ALBERT's rules around a unigram model, which must have ALBERT's special tokens.
func NewAlbert(u *Unigram, rules Rules) (*Albert, error) {
	t := &Albert{
		unigram:    u,
		rules:      rules,
		startsWord: make([]bool, u.VocabSize()),
		digitComma: make([]bool, u.VocabSize()),
	}
	ids := []*int32{&t.special.Pad, &t.special.Unknown, &t.special.CLS, &t.special.SEP, &t.special.MASK}
	for i, token := range specialTokens {
		id, ok := u.ID(token)
		if !ok {
			return nil, fmt.Errorf("the vocabulary has no piece %s, want ALBERT's %s; it belongs to another model",
				token, strings.Join(specialTokens, " "))
		}
		*ids[i] = id
		t.specialIDs = append(t.specialIDs, id)
	}
	t.comma = t.idOrUnknown([]byte(","))
	for id := range t.startsWord {
		t.startsWord[id] = startsWord(u.pieces[id].text)
		t.digitComma[id] = endsWithDigitComma(u.pieces[id].text)
	}
	return t, nil
}

// Unigram returns the model that cuts the prepared text.
func (t *Albert) Unigram() *Unigram { return t.unigram }

// Rules returns what is done to text first.
func (t *Albert) Rules() Rules { return t.rules }

// VocabSize returns V.
func (t *Albert) VocabSize() int { return t.unigram.VocabSize() }

// Piece returns the text of an id; it is empty outside [0, V).
func (t *Albert) Piece(id int32) string { return t.unigram.Piece(id) }

// ID returns the id of a piece, and whether the vocabulary has it.
func (t *Albert) ID(piece string) (int32, bool) { return t.unigram.ID(piece) }

// Special returns the ids of the special tokens.
func (t *Albert) Special() SpecialIDs { return t.special }

// StartsWord says whether a piece begins a word: _is_start_piece_sp of Google's create_pretraining_data.py.
func (t *Albert) StartsWord(id int32) bool {
	return id >= 0 && int(id) < len(t.startsWord) && t.startsWord[id]
}

// startsWord says whether a piece begins with ▁ or <, or has a character that is neither an ASCII letter nor a mark of
// wordMarks, or is such a mark alone.
func startsWord(piece string) bool {
	const wordMarks = "!\"#$%&()*+,-./:;?@[\\]^_`{|}~"
	if strings.HasPrefix(piece, whitespace) || strings.HasPrefix(piece, "<") {
		return true
	}
	if len(piece) == 1 && strings.Contains(wordMarks, piece) {
		return true
	}
	return strings.ContainsFunc(piece, func(r rune) bool {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		return !letter && !strings.ContainsRune(wordMarks, r)
	})
}

// Encode returns the ids of text, without [CLS] and [SEP] around them.
func (t *Albert) Encode(text string) []int32 { return t.AppendEncode(nil, text) }

// AppendEncode appends the ids of text to dst.
func (t *Albert) AppendEncode(dst []int32, text string) []int32 {
	out := output{ids: dst}
	t.encode(&out, text)
	return out.ids
}

// AppendTokens appends the tokens of text to dst.
func (t *Albert) AppendTokens(dst []Token, text string) []Token {
	out := output{tokens: dst, traced: true}
	t.encode(&out, text)
	return out.tokens
}

func (t *Albert) encode(out *output, text string) {
	s := t.unigram.scratch()
	for at := 0; at < len(text); {
		before, size, id := t.firstSpecial(text[at:])
		part := text[at : at+before]
		if id == t.special.MASK && size > 0 {
			part = strings.TrimRightFunc(part, isSpace)
		}
		t.encodePart(out, s, part, at)
		at += before
		if size > 0 {
			out.add(id, origin{at, at + size})
		}
		at += size
	}
	t.unigram.release(s)
}

// firstSpecial finds the first special token that is written out in text: where, in how many bytes, and its id. Without
// one, before is the length of text and size 0. AlbertTokenizer looks for them after lower-casing all else, so that
// <PAD> is one too, but [cls] is not.
func (t *Albert) firstSpecial(text string) (before, size int, id int32) {
	for i := range len(text) {
		if text[i] != '[' && text[i] != '<' {
			continue
		}
		for k, token := range specialTokens {
			if size := t.prefixSize(text[i:], token); size > 0 {
				return i, size, t.specialIDs[k]
			}
		}
	}
	return len(text), 0, 0
}

// prefixSize returns how many bytes of text, from its start, are a special token; 0 if it starts otherwise.
func (t *Albert) prefixSize(text, token string) int {
	if strings.HasPrefix(text, token) {
		return len(token)
	}
	if !t.rules.LowerCase {
		return 0
	}
	size := 0
	for _, want := range token {
		c, n := utf8.DecodeRuneInString(text[size:])
		if unicode.ToLower(c) != want || c == 'İ' {
			return 0
		}
		size += n
	}
	return size
}

// encodePart encodes text between special tokens, which begins at byte at of the whole.
func (t *Albert) encodePart(out *output, s *scratch, text string, at int) {
	u := t.unigram
	s.prepared.reset(out.traced)
	t.rules.append(&s.prepared, text, at)
	s.normalized.reset(out.traced)
	u.normalizer.append(&s.normalized, view(s.prepared.text), source{at, s.prepared.origins})
	s.spans = u.cut(s, s.spans[:0], &s.normalized)
	for _, p := range s.spans {
		surface := s.normalized.text[p.start:p.end]
		unknown := p.id == u.unknown && !u.byteFallback
		switch {
		case t.digitComma[p.id], unknown && endsWithDigitComma(view(surface)):
			t.emitDigitComma(out, s, p)
		case unknown:
			p.id = t.idOrUnknown(surface)
			fallthrough
		default:
			u.emit(out, &s.normalized, p)
		}
	}
}

// emitDigitComma cuts a piece like ▁1990, into the pieces of ▁1990 and a comma of its own.
func (t *Albert) emitDigitComma(out *output, s *scratch, p span) {
	u := t.unigram
	comma := int(p.end) - len(",")
	s.number.reset(out.traced)
	for i := int(p.start); i < comma; i++ {
		if strings.HasPrefix(view(s.normalized.text[i:comma]), whitespace) {
			i += len(whitespace) - 1
			continue
		}
		s.number.text = append(s.number.text, s.normalized.text[i])
		if out.traced {
			s.number.from(s.normalized.origins[i])
		}
	}
	s.renormalized.reset(out.traced)
	u.normalizer.append(&s.renormalized, view(s.number.text), source{0, s.number.origins})
	s.numberSpans = u.cut(s, s.numberSpans[:0], &s.renormalized)
	inWord := !strings.HasPrefix(view(s.normalized.text[p.start:p.end]), whitespace)
	for i, q := range s.numberSpans {
		surface := s.renormalized.text[q.start:q.end]
		if i == 0 && inWord && strings.HasPrefix(view(surface), whitespace) {
			surface = surface[len(whitespace):]
			q.start += int32(len(whitespace))
			q.id = t.idOrUnknown(surface)
		}
		if len(surface) == 0 {
			continue
		}
		if q.id == u.unknown && !u.byteFallback {
			q.id = t.idOrUnknown(surface)
		}
		u.emit(out, &s.renormalized, q)
	}
	u.emit(out, &s.normalized, span{id: t.comma, start: int32(comma), end: p.end})
}

func (t *Albert) idOrUnknown(piece []byte) int32 {
	if id, ok := t.unigram.ids[string(piece)]; ok {
		return id
	}
	return t.special.Unknown
}

func endsWithDigitComma(piece string) bool {
	number, ok := strings.CutSuffix(piece, ",")
	r, _ := utf8.DecodeLastRuneInString(number)
	return ok && (unicode.IsDigit(r) || unicode.Is(otherDigits, r))
}

// otherDigits are the characters of category No that are digits to Python's str.isdigit.
var otherDigits = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0x00b2, 0x00b3, 1}, {0x00b9, 0x00b9, 1}, {0x1369, 0x1371, 1}, {0x19da, 0x19da, 1}, {0x2070, 0x2070, 1},
		{0x2074, 0x2079, 1}, {0x2080, 0x2089, 1}, {0x2460, 0x2468, 1}, {0x2474, 0x247c, 1}, {0x2488, 0x2490, 1},
		{0x24ea, 0x24ea, 1}, {0x24f5, 0x24fd, 1}, {0x24ff, 0x24ff, 1}, {0x2776, 0x277e, 1}, {0x2780, 0x2788, 1},
		{0x278a, 0x2792, 1},
	},
	R32: []unicode.Range32{
		{0x10a40, 0x10a43, 1}, {0x10e60, 0x10e68, 1}, {0x11052, 0x1105a, 1}, {0x1f100, 0x1f10a, 1},
	},
	LatinOffset: 2,
}

// Decode returns the text of ids as AlbertTokenizer.decode does without its clean-up: special tokens are written out,
// with a space before the first of a run.
func (t *Albert) Decode(ids []int32) string {
	var b strings.Builder
	afterSpecial := false
	var pending []int32
	for _, id := range ids {
		token := t.specialToken(id)
		if token == "" {
			pending = append(pending, id)
			afterSpecial = false
			continue
		}
		if !afterSpecial {
			b.WriteByte(' ')
		}
		b.WriteString(t.unigram.Decode(pending))
		b.WriteString(token)
		pending, afterSpecial = pending[:0], true
	}
	b.WriteString(t.unigram.Decode(pending))
	return strings.TrimFunc(b.String(), isSpace)
}

// specialToken returns the text of a special token's id, and nothing for other ids.
func (t *Albert) specialToken(id int32) string {
	switch id {
	case t.special.Pad, t.special.CLS, t.special.SEP, t.special.MASK, t.special.Unknown:
		return t.Piece(id)
	}
	if id < 0 || int(id) >= t.VocabSize() {
		return UnknownToken
	}
	return ""
}
