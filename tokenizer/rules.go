package tokenizer

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Rules are what ALBERT does to text before SentencePiece sees it. Their names are those of tokenizer_config.json.
type Rules struct {
	LowerCase   bool // do_lower_case
	RemoveSpace bool // remove_space: white space of all kinds becomes single spaces
	KeepAccents bool // keep_accents: no NFKD, combining characters stay
}

// DefaultRules are those of the released English models.
func DefaultRules() Rules { return Rules{LowerCase: true, RemoveSpace: true} }

// Apply returns text as SentencePiece is given it.
func (r Rules) Apply(text string) string {
	var out aligned
	r.append(&out, text, 0)
	return string(out.text)
}

// append writes text as SentencePiece is given it into out, which is empty; text begins at byte at of the original. In
// one pass it does what AlbertTokenizer does in several: characters are lower-cased, white space is joined, quotes are
// folded, characters are decomposed and combining ones dropped, and what that brings is lower-cased again.
func (r Rules) append(out *aligned, text string, at int) {
	p := preparation{aligned: out, rules: r}
	for i := 0; i < len(text); {
		c, size := rune(text[i]), 1
		if c >= utf8.RuneSelf {
			c, size = utf8.DecodeRuneInString(text[i:])
		}
		p.from = origin{at + i, at + i + size}
		switch {
		case r.RemoveSpace && isSpace(c):
			p.space()
		case (c == '`' || c == '\'') && i+1 < len(text) && rune(text[i+1]) == c:
			p.from.end++
			size = 2
			p.character('"')
		case c >= utf8.RuneSelf:
			p.wide(c)
		case r.LowerCase && 'A' <= c && c <= 'Z':
			p.character(c + 'a' - 'A')
		default:
			p.character(c)
		}
		i += size
	}
	if p.sigma {
		lowerSigma(out.text)
	}
}

// preparation is the state of [Rules.append] between two characters.
type preparation struct {
	*aligned
	rules   Rules
	from    origin // of the character at hand
	begun   bool   // whether there was a character other than white space
	waiting bool   // whether white space came after one
	gap     origin // that white space
	sigma   bool   // whether Σ was written, which depends on its neighbours
}

// space takes note of white space.
func (p *preparation) space() {
	if !p.waiting {
		p.gap.start = p.from.start
	}
	p.gap.end = p.from.end
	p.waiting = p.begun
}

// character writes c, and the space that waits.
func (p *preparation) character(c rune) {
	p.join()
	p.text = utf8.AppendRune(p.text, c)
	if p.traced {
		p.aligned.from(p.from)
	}
}

func (p *preparation) join() {
	if p.waiting {
		p.text = append(p.text, ' ')
		if p.traced {
			p.aligned.from(p.gap)
		}
	}
	p.begun, p.waiting = true, false
}

// wide writes a character that is not ASCII.
func (p *preparation) wide(c rune) {
	p.join()
	switch {
	case p.rules.LowerCase && c == 'İ': // the one character whose lower case is two
		p.character('i')
		p.mark('\u0307')
	case p.rules.KeepAccents:
		p.character(p.lower(c))
	case hangulFirst <= c && c <= hangulLast:
		p.hangul(c - hangulFirst)
	default:
		p.decompose(p.lower(c))
	}
}

func (p *preparation) lower(c rune) rune {
	if p.rules.LowerCase {
		return unicode.ToLower(c)
	}
	return c
}

// mark writes a combining character, if these are kept.
func (p *preparation) mark(c rune) {
	if p.rules.KeepAccents {
		p.character(c)
	} else if last := len(p.origins) - 1; p.traced && last >= 0 {
		p.origins[last].end = p.from.end // the letter stands for its accent too
	}
}

// decompose writes the NFKD of a character, but for Hangul, without combining characters.
func (p *preparation) decompose(c rune) {
	size := len(p.text)
	p.text = utf8.AppendRune(p.text, c) // for a moment: a buffer of its own would be allocated
	properties := norm.NFKD.Properties(p.text[size:])
	p.text = p.text[:size]
	decomposition := properties.Decomposition()
	if decomposition == nil {
		if properties.CCC() == 0 {
			p.character(c)
		} else {
			p.mark(c)
		}
		return
	}
	for len(decomposition) > 0 {
		c, size := utf8.DecodeRune(decomposition)
		switch {
		case norm.NFKD.Properties(decomposition).CCC() != 0:
			p.mark(c)
		case p.rules.LowerCase && c == 'Σ':
			p.sigma = true
			p.character(c)
		default:
			p.character(p.lower(c)) // there may be capitals: ℌ is H
		}
		decomposition = decomposition[size:]
	}
}

// The syllables of Hangul are decomposed by arithmetic: section 3.12 of the Unicode standard.
const (
	hangulFirst, hangulLast              = 0xac00, 0xd7a3
	leadingJamo, vowelJamo, trailingJamo = 0x1100, 0x1161, 0x11a7
	vowels, trailings                    = 21, 28
)

func (p *preparation) hangul(index rune) {
	p.character(leadingJamo + index/(vowels*trailings))
	p.character(vowelJamo + index%(vowels*trailings)/trailings)
	if trailing := index % trailings; trailing != 0 {
		p.character(trailingJamo + trailing)
	}
}

// lowerSigma replaces each Σ by ς at the end of a word and by σ elsewhere: Final_Sigma of the Unicode standard, which
// Python's str.lower follows.
func lowerSigma(text []byte) {
	for i := 0; i < len(text); {
		c, size := utf8.DecodeRune(text[i:])
		if c == 'Σ' {
			lowered := 'σ'
			if casedBefore(text[:i]) && !casedAfter(text[i+size:]) {
				lowered = 'ς'
			}
			utf8.EncodeRune(text[i:i+size], lowered)
		}
		i += size
	}
}

func casedBefore(text []byte) bool {
	for len(text) > 0 {
		c, size := utf8.DecodeLastRune(text)
		if !caseIgnorable(c) {
			return cased(c)
		}
		text = text[:len(text)-size]
	}
	return false
}

func casedAfter(text []byte) bool {
	for len(text) > 0 {
		c, size := utf8.DecodeRune(text)
		if !caseIgnorable(c) {
			return cased(c)
		}
		text = text[size:]
	}
	return false
}

// cased and caseIgnorable are the Unicode properties Cased and Case_Ignorable.
func cased(c rune) bool {
	return unicode.In(c, unicode.Lu, unicode.Ll, unicode.Lt, unicode.Other_Lowercase, unicode.Other_Uppercase)
}

func caseIgnorable(c rune) bool {
	const wordMiddle = "'.:·\u0387\u055f\u05f4\u2018\u2019\u2024\u2027\ufe13\ufe52\ufe55\uff07\uff0e\uff1a"
	return unicode.In(c, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk) || strings.ContainsRune(wordMiddle, c)
}

// isSpace is Python's str.isspace of one character.
func isSpace(r rune) bool {
	if r < utf8.RuneSelf {
		return r == ' ' || '\t' <= r && r <= '\r' || '\x1c' <= r && r <= '\x1f'
	}
	return unicode.IsSpace(r)
}
