package tokenizer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// whitespace is the character that stands for a space in pieces.
const whitespace = "\u2581" // ▁

// A normalizer changes text as SentencePiece's Normalizer does before segmentation: the longest rule of the charsmap
// that the rest of the text starts with is replaced, runs of spaces become one, those at both ends are dropped, spaces
// become ▁, and one ▁ is put in front, or at the end.
type normalizer struct {
	spec         normalizerSpec
	suffix       bool        // whether the ▁ that is added comes last: treat_whitespace_as_suffix
	rules        doubleArray // value: where the replacement begins in replacements
	replacements string      // each ended by a zero byte
	userDefined  doubleArray // pieces that pass unchanged
	plain        [utf8.RuneSelf]bool
}

// newNormalizer reads the charsmap of spec: the size of the trie in bytes (uint32), the trie, the replacements.
func newNormalizer(spec normalizerSpec, userDefined doubleArray) (*normalizer, error) {
	n := &normalizer{spec: spec, userDefined: userDefined}
	if blob := spec.precompiledCharsmap; len(blob) > 0 {
		if len(blob) < 4 {
			return nil, fmt.Errorf("precompiled_charsmap has %d bytes, want at least 4; the file is damaged", len(blob))
		}
		size := binary.LittleEndian.Uint32(blob)
		blob = blob[4:]
		if size%4 != 0 || uint64(size) >= uint64(len(blob)) {
			return nil, fmt.Errorf("precompiled_charsmap says its trie has %d bytes, got %d bytes in all; the file is damaged",
				size, len(blob))
		}
		n.rules = make(doubleArray, size/4)
		for i := range n.rules {
			n.rules[i] = binary.LittleEndian.Uint32(blob[4*i:])
		}
		n.replacements = string(blob[size:])
		if err := n.check(); err != nil {
			return nil, err
		}
	}
	n.findPlain()
	return n, nil
}

// check refuses a charsmap whose rules lead nowhere.
func (n *normalizer) check() error {
	if n.replacements[len(n.replacements)-1] != 0 {
		return errors.New("precompiled_charsmap does not end with a zero byte; the file is damaged")
	}
	if !utf8.ValidString(n.replacements) {
		return errors.New("precompiled_charsmap has replacements that are no UTF-8; the file is damaged")
	}
	for i, unit := range n.rules {
		if unit&unitHasValue == 0 || unit&unitIsValue != 0 {
			continue
		}
		at := unitBase(uint32(i), unit)
		if uint64(at) >= uint64(len(n.rules)) {
			return fmt.Errorf("unit %d of precompiled_charsmap points outside of it; the file is damaged", i)
		}
		if start := int(n.rules[at] & unitValue); start >= len(n.replacements) || !utf8.RuneStart(n.replacements[start]) {
			return fmt.Errorf("unit %d of precompiled_charsmap points to replacement %d, want a character below %d; "+
				"the file is damaged", i, start, len(n.replacements))
		}
	}
	return nil
}

// findPlain marks the ASCII characters that pass unchanged where the next character is ASCII too, which is most text:
// no rule begins with the two, and none is the first alone.
func (n *normalizer) findPlain() {
	for c := range n.plain {
		text := [2]byte{byte(c)}
		n.plain[c] = true
		for next := range n.plain {
			text[1] = byte(next)
			if !n.rules.passes(text) || !n.userDefined.passes(text) {
				n.plain[c] = false
				break
			}
		}
	}
}

// passes says whether no key begins with these two bytes, or is the first.
func (d doubleArray) passes(text [2]byte) bool {
	base, value, ok := d.step(d.root(), text[0])
	if !ok {
		return true
	}
	_, _, longer := d.step(base, text[1])
	return value < 0 && !longer
}

// aligned is text that was made from another, the original, and where each of its bytes came from.
type aligned struct {
	text    []byte
	traced  bool     // whether origins is kept
	origins []origin // of each byte of text
	words   []int32  // where ▁ follows another character, as far as the normalizer wrote them
}

// origin is the bytes [start, end) of the original.
type origin struct{ start, end int }

// reset empties a.
func (a *aligned) reset(traced bool) {
	a.text, a.origins, a.words, a.traced = a.text[:0], a.origins[:0], a.words[:0], traced
}

// from gives all bytes of text that have no origin yet this one.
func (a *aligned) from(o origin) {
	for len(a.origins) < len(a.text) {
		a.origins = append(a.origins, o)
	}
}

// cover returns where bytes [start, end) came from, without white space at their ends; white space alone is all of it.
// Without origins it is nothing.
func (a *aligned) cover(start, end int) origin {
	if !a.traced {
		return origin{}
	}
	from, to := start, end
	for from < to && a.text[from] == ' ' || strings.HasPrefix(view(a.text[from:to]), whitespace) {
		_, size := utf8.DecodeRune(a.text[from:to])
		from += size
	}
	for from < to && a.text[to-1] == ' ' || strings.HasSuffix(view(a.text[from:to]), whitespace) {
		_, size := utf8.DecodeLastRune(a.text[from:to])
		to -= size
	}
	if from == to {
		from, to = start, end
	}
	return origin{a.origins[from].start, a.origins[to-1].end}
}

// truncate keeps the first size bytes.
func (a *aligned) truncate(size int) {
	a.text = a.text[:size]
	if a.traced {
		a.origins = a.origins[:size]
	}
	for len(a.words) > 0 && int(a.words[len(a.words)-1]) >= size {
		a.words = a.words[:len(a.words)-1]
	}
}

// A source says what the bytes of a text came from: origins, or the text itself, which begins at byte start.
type source struct {
	start   int
	origins []origin
}

func (s source) at(i, j int) origin {
	switch {
	case s.origins == nil:
		return origin{s.start + i, s.start + j}
	case i < j:
		return origin{s.origins[i].start, s.origins[j-1].end}
	case i < len(s.origins):
		return origin{s.origins[i].start, s.origins[i].start}
	case i > 0:
		return origin{s.origins[i-1].end, s.origins[i-1].end}
	}
	return origin{s.start, s.start}
}

// normalize returns text as the segmentation sees it.
func (n *normalizer) normalize(text string) string {
	var out aligned
	n.append(&out, text, source{})
	return string(out.text)
}

// append writes text as the segmentation sees it into out, which is empty.
func (n *normalizer) append(out *aligned, text string, from source) {
	i := 0
	if n.spec.removeExtraWhitespaces {
		for i < len(text) {
			replacement, length := n.prefix(text[i:])
			if replacement != " " {
				break
			}
			i += length
		}
	}
	if i == len(text) {
		return
	}
	if n.spec.addDummyPrefix && !n.suffix {
		n.appendSpace(out)
		if out.traced {
			out.from(from.at(i, i))
		}
	}
	afterSpace := n.spec.removeExtraWhitespaces
	for i < len(text) {
		start := i
		if c := text[i]; c < utf8.RuneSelf && n.plain[c] && (i+1 == len(text) || text[i+1] < utf8.RuneSelf) {
			i++
			switch {
			case c != ' ':
				out.text = append(out.text, c)
				afterSpace = false
			case !afterSpace:
				n.appendSpace(out)
				afterSpace = n.spec.removeExtraWhitespaces
			}
		} else {
			replacement, length := n.prefix(text[i:])
			i += length
			if afterSpace {
				replacement = strings.TrimLeft(replacement, " ")
			}
			for k := range len(replacement) {
				if c := replacement[k]; c == ' ' {
					n.appendSpace(out)
				} else {
					out.text = append(out.text, c)
				}
			}
			if replacement != "" {
				afterSpace = n.spec.removeExtraWhitespaces && strings.HasSuffix(replacement, " ")
			}
		}
		if out.traced {
			out.from(from.at(start, i))
		}
	}
	n.finish(out, from, len(text))
}

// finish drops the spaces at the end, and adds one where it is a suffix.
func (n *normalizer) finish(out *aligned, from source, end int) {
	if n.spec.removeExtraWhitespaces {
		for endsWith(out.text, n.space()) {
			out.truncate(len(out.text) - len(n.space()))
		}
	}
	if n.spec.addDummyPrefix && n.suffix {
		n.appendSpace(out)
		if out.traced {
			out.from(from.at(end, end))
		}
	}
}

// space is what stands for a space.
func (n *normalizer) space() string {
	if n.spec.escapeWhitespaces {
		return whitespace
	}
	return " "
}

func (n *normalizer) appendSpace(out *aligned) {
	if !n.spec.escapeWhitespaces {
		out.text = append(out.text, ' ')
		return
	}
	if len(out.text) > 0 && !endsWith(out.text, whitespace) {
		out.words = append(out.words, int32(len(out.text)))
	}
	out.text = append(out.text, whitespace...)
}

func endsWith(text []byte, suffix string) bool {
	return len(text) >= len(suffix) && string(text[len(text)-len(suffix):]) == suffix
}

// prefix returns what the start of text becomes, and how many bytes of it that takes. Text is not empty.
func (n *normalizer) prefix(text string) (replacement string, length int) {
	if _, length := n.userDefined.longestPrefix(text); length > 0 {
		return text[:length], length
	}
	if start, length := n.rules.longestPrefix(text); length > 0 && int(start) < len(n.replacements) {
		replacement := n.replacements[start:]
		return replacement[:strings.IndexByte(replacement, 0)], length
	}
	r, length := utf8.DecodeRuneInString(text)
	if r == utf8.RuneError && length == 1 {
		return string(utf8.RuneError), 1
	}
	return text[:length], length
}
