package tokenizer

import (
	"fmt"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
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

// Rules are what ALBERT does to text before SentencePiece sees it. Their names are those of tokenizer_config.json.
type Rules struct {
	LowerCase   bool // do_lower_case
	RemoveSpace bool // remove_space: white space of all kinds becomes single spaces
	KeepAccents bool // keep_accents: no NFKD, combining characters stay
}

// DefaultRules are those of the released English models.
func DefaultRules() Rules { return Rules{LowerCase: true, RemoveSpace: true} }

// Albert is ALBERT's tokenizer: a unigram model, the rules before it, and the digit-comma rule after it. It gives the
// ids of the slow AlbertTokenizer of transformers 4.57 (tokenization_albert.py), with which the released models were
// converted; the fast one and transformers 5 lack the digit-comma rule.
type Albert struct {
	unigram    *Unigram
	rules      Rules
	special    SpecialIDs
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
	}
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
func (t *Albert) Encode(text string) []int32 {
	text = strings.ToValidUTF8(text, string(utf8.RuneError))
	var ids []int32
	for text != "" {
		at, token := firstSpecial(text)
		part := text[:at]
		if token == MASKToken {
			part = strings.TrimRightFunc(part, isSpace)
		}
		ids = t.appendPieces(ids, t.rules.Apply(part))
		if token != "" {
			id, _ := t.unigram.ID(token)
			ids = append(ids, id)
		}
		text = text[at+len(token):]
	}
	return ids
}

// firstSpecial finds the first special token that is written out in text. Without one, at is the length of text.
func firstSpecial(text string) (at int, token string) {
	for i := range len(text) {
		if text[i] != '[' && text[i] != '<' {
			continue
		}
		for _, token := range specialTokens {
			if strings.HasPrefix(text[i:], token) {
				return i, token
			}
		}
	}
	return len(text), ""
}

// Apply returns text as SentencePiece is given it.
func (r Rules) Apply(text string) string {
	if r.LowerCase {
		text = lower(text)
	}
	if r.RemoveSpace {
		text = strings.Join(strings.FieldsFunc(text, isSpace), " ")
	}
	text = strings.ReplaceAll(text, "``", `"`)
	text = strings.ReplaceAll(text, "''", `"`)
	if !r.KeepAccents && !isASCII(text) {
		text = dropCombining(norm.NFKD.String(text))
		if r.LowerCase {
			text = lower(text) // NFKD may bring capitals: ℌ is H
		}
	}
	return text
}

// lower is Python's str.lower of each character: Unicode's simple mapping, but for İ.
func lower(text string) string {
	return strings.ToLower(strings.ReplaceAll(text, "İ", "i\u0307"))
}

// dropCombining removes the characters whose canonical combining class is not zero.
func dropCombining(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		properties := norm.NFKD.PropertiesString(text[i:])
		size := max(1, properties.Size())
		if properties.CCC() == 0 {
			b.WriteString(text[i : i+size])
		}
		i += size
	}
	return b.String()
}

// isSpace is Python's str.isspace of one character.
func isSpace(r rune) bool { return unicode.IsSpace(r) || '\x1c' <= r && r <= '\x1f' }

func isASCII(text string) bool {
	for i := range len(text) {
		if text[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// appendPieces appends the ids of prepared text.
func (t *Albert) appendPieces(ids []int32, text string) []int32 {
	normalized := t.unigram.Normalize(text)
	for _, s := range t.unigram.segment(normalized) {
		switch surface := normalized[s.start:s.end]; {
		case t.digitComma[s.id], s.id == t.special.Unknown && endsWithDigitComma(surface):
			ids = t.appendDigitComma(ids, surface)
		default:
			ids = append(ids, s.id)
		}
	}
	return ids
}

// appendDigitComma cuts a piece like ▁1990, into the pieces of ▁1990 and a comma of its own.
func (t *Albert) appendDigitComma(ids []int32, surface string) []int32 {
	number := strings.TrimSuffix(surface, ",")
	normalized := t.unigram.Normalize(strings.ReplaceAll(number, whitespace, ""))
	for i, s := range t.unigram.segment(normalized) {
		piece := normalized[s.start:s.end]
		if i == 0 && !strings.HasPrefix(surface, whitespace) {
			piece = strings.TrimPrefix(piece, whitespace)
		}
		if piece != "" {
			ids = append(ids, t.idOrUnknown(piece))
		}
	}
	return append(ids, t.idOrUnknown(","))
}

func (t *Albert) idOrUnknown(piece string) int32 {
	if id, ok := t.unigram.ID(piece); ok {
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
