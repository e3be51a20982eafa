package tokenizer

import (
	"slices"
	"strings"
	"unicode"
)

// BasicRules are what BERT does to text before WordPiece sees it. Their names are those of tokenizer_config.json.
type BasicRules struct {
	LowerCase       bool  // do_lower_case
	TokenizeChinese bool  // tokenize_chinese_chars: each Chinese character is a word of its own
	StripAccents    *bool // strip_accents: marks are dropped; nil is the same as LowerCase
}

// DefaultBasicRules are those of the released uncased and Chinese models.
func DefaultBasicRules() BasicRules { return BasicRules{LowerCase: true, TokenizeChinese: true} }

// stripsAccents resolves a StripAccents that was left out.
func (b BasicRules) stripsAccents() bool {
	if b.StripAccents != nil {
		return *b.StripAccents
	}
	return b.LowerCase
}

// basicWords is text cut into words, with its buffers.
type basicWords struct {
	text   []alignedRune
	words  []wordSpan
	buffer []alignedRune
}

// A wordSpan is a word: characters [start, end).
type wordSpan struct{ start, end int }

// split cuts text, whose first byte is byte base of the original, into words: what the slow BertTokenizer of
// transformers 4.57 does (tokenization_bert.py, BasicTokenizer.tokenize).
//
//	lower case ─▶ clean ─▶ spaces around Chinese ─▶ NFC, or NFD without marks ─▶ split at spaces ─▶ split at punctuation
//
// A word that is one of neverSplit stays whole. Characters are classified by Go's Unicode 15, which Python 3.12 has
// too; what is unassigned is dropped, so an older Python drops more.
func (w *basicWords) split(b BasicRules, neverSplit []string, text string, base int) {
	w.text, w.words = w.text[:0], w.words[:0]
	w.clean(b, text, base)
	if strip := b.stripsAccents(); slices.ContainsFunc(w.text, func(c alignedRune) bool { return c.r >= 0xc0 }) {
		if strip {
			w.buffer = formNFD.append(w.buffer[:0], w.text) // NFD of NFC is NFD
			w.buffer = dropMarks(w.buffer)
		} else {
			w.buffer = formNFC.append(w.buffer[:0], w.text)
		}
		w.text, w.buffer = w.buffer, w.text
	}
	for start := 0; start < len(w.text); {
		end := start
		for end < len(w.text) && !isSpace(w.text[end].r) {
			end++
		}
		if word := w.text[start:end]; len(word) > 0 && equalsAny(word, neverSplit) {
			w.words = append(w.words, wordSpan{start, end})
		} else {
			w.splitPunctuation(start, end)
		}
		start = end + 1
	}
}

// dropMarks drops marks that take no place of their own, whose bytes then belong to the letter before them.
func dropMarks(text []alignedRune) []alignedRune {
	out := text[:0]
	for _, c := range text {
		if !unicode.Is(unicode.Mn, c.r) {
			out = append(out, c)
		} else if n := len(out); n > 0 && out[n-1].r != ' ' {
			out[n-1].end = max(out[n-1].end, c.end)
		}
	}
	return out
}

// clean makes characters of text: without control characters, with plain spaces, and with spaces around Chinese ones.
func (w *basicWords) clean(b BasicRules, text string, base int) {
	w.buffer = appendAligned(w.buffer[:0], text, base)
	var lower [2]alignedRune
	for _, c := range w.buffer {
		characters := append(lower[:0], c)
		if b.LowerCase {
			characters = appendLower(lower[:0], c)
		}
		for _, c := range characters {
			switch {
			case c.r == '\t' || c.r == '\n' || c.r == '\r' || unicode.Is(unicode.Zs, c.r):
				w.text = append(w.text, alignedRune{' ', c.start, c.end})
			case c.r == 0xfffd || isOther(c.r):
			case b.TokenizeChinese && isChinese(c.r):
				w.text = append(w.text, alignedRune{' ', c.start, c.start}, c, alignedRune{' ', c.end, c.end})
			default:
				w.text = append(w.text, c)
			}
		}
	}
}

// splitPunctuation cuts characters [start, end) where punctuation is, which is a word of its own.
func (w *basicWords) splitPunctuation(start, end int) {
	for i := start; i < end; i++ {
		if !isPunctuation(w.text[i].r) {
			continue
		}
		if start < i {
			w.words = append(w.words, wordSpan{start, i})
		}
		w.words = append(w.words, wordSpan{i, i + 1})
		start = i + 1
	}
	if start < end {
		w.words = append(w.words, wordSpan{start, end})
	}
}

// equalsAny says whether word is one of tokens.
func equalsAny(word []alignedRune, tokens []string) bool {
	return slices.ContainsFunc(tokens, func(token string) bool {
		if token[0] != byte(word[0].r) {
			return false
		}
		i := 0
		for _, r := range token {
			if i == len(word) || word[i].r != r {
				return false
			}
			i++
		}
		return i == len(word)
	})
}

// isOther says whether a character is of one of Unicode's categories C: control, format, surrogate, private or
// unassigned.
func isOther(r rune) bool {
	switch {
	case r < 0x7f:
		return r < ' '
	case 0x4e00 <= r && r <= 0x9fff:
		return false
	}
	return !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z)
}

// isPunctuation says whether a character is of one of Unicode's categories P, or of ASCII and neither letter nor digit.
func isPunctuation(r rune) bool {
	if r < 0x80 {
		return '!' <= r && r <= '/' || ':' <= r && r <= '@' || '[' <= r && r <= '`' || '{' <= r && r <= '~'
	}
	return unicode.Is(unicode.P, r)
}

// isChinese says whether a character is in one of the blocks of ideographs; kana and Hangul are not.
func isChinese(r rune) bool {
	switch {
	case r < 0x3400:
		return false
	case r <= 0x4dbf, 0x4e00 <= r && r <= 0x9fff, 0xf900 <= r && r <= 0xfaff, 0x20000 <= r && r <= 0x2a6df:
		return true
	}
	return 0x2a700 <= r && r <= 0x2ceaf || 0x2f800 <= r && r <= 0x2fa1f
}

// chunk returns how much of text may be split on its own: it ends at white space, where there is some.
func chunk(text string) int {
	const enough = 4096
	if len(text) <= enough {
		return len(text)
	}
	if i := strings.LastIndexAny(text[:enough], " \t\n\r"); i >= 0 {
		return i + 1
	}
	if i := strings.IndexAny(text[enough:], " \t\n\r"); i >= 0 {
		return enough + i + 1
	}
	return len(text)
}
