package tokenizer

import (
	"slices"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// An alignedRune is a character on its way from text to pieces, and the bytes [start, end) of the text that it is made
// of.
type alignedRune struct {
	r          rune
	start, end int
}

// appendAligned appends the characters of text, whose first byte is byte base of the original. Bytes that are no UTF-8
// are U+FFFD.
func appendAligned(dst []alignedRune, text string, base int) []alignedRune {
	for i, r := range text {
		size := 1
		if r >= utf8.RuneSelf {
			_, size = utf8.DecodeRuneInString(text[i:])
		}
		dst = append(dst, alignedRune{r, base + i, base + i + size})
	}
	return dst
}

// appendLower appends the lower case of a character: Unicode's simple mapping, but for İ.
func appendLower(dst []alignedRune, c alignedRune) []alignedRune {
	if c.r == 'İ' {
		return append(dst, alignedRune{'i', c.start, c.end}, alignedRune{'\u0307', c.start, c.end})
	}
	return append(dst, alignedRune{unicode.ToLower(c.r), c.start, c.end})
}

// A form is a normalization form of Unicode that decomposes, and whether composition follows.
type form struct {
	decomposed norm.Form // NFD or NFKD
	composed   bool
}

var (
	formNFC  = form{norm.NFD, true}
	formNFD  = form{norm.NFD, false}
	formNFKC = form{norm.NFKD, true}
	formNFKD = form{norm.NFKD, false}
)

// formBuffers are what x/text reads and writes: memory that it would otherwise move to the heap for each character.
type formBuffers struct{ in, out [16 * utf8.UTFMax]byte }

var formPool = sync.Pool{New: func() any { return new(formBuffers) }}

// append appends src in this form (UAX 15). Unlike norm.Form it has no limit of thirty marks on one letter (it never
// inserts U+034F), and it keeps the alignment. dst and src do not overlap.
func (f form) append(dst, src []alignedRune) []alignedRune {
	b := formPool.Get().(*formBuffers)
	defer formPool.Put(b)
	first := len(dst)
	marks := false // whether any character may be reordered or composed
	for _, c := range src {
		if c.r < 0xa0 || f.decomposed == norm.NFD && c.r < 0xc0 || 0x4e00 <= c.r && c.r <= 0x9fff {
			dst = append(dst, c)
			continue
		}
		for decomposed := f.decompose(b, c.r); len(decomposed) > 0; {
			r, size := utf8.DecodeRune(decomposed)
			decomposed = decomposed[size:]
			dst = append(dst, alignedRune{r, c.start, c.end})
			marks = marks || r >= 0x300
		}
	}
	if !marks {
		return dst
	}
	b.order(dst[first:])
	if f.composed {
		dst = b.compose(dst, first)
	}
	return dst
}

// decompose returns the full decomposition of a character, which may be itself.
func (f form) decompose(b *formBuffers, r rune) []byte {
	in := utf8.AppendRune(b.in[:0], r)
	if 0xac00 <= r && r <= 0xd7a3 { // Hangul, whose decomposition is arithmetic
		return f.decomposed.Append(b.out[:0], in...)
	}
	if decomposed := f.decomposed.Properties(in).Decomposition(); decomposed != nil {
		return decomposed
	}
	return in
}

// class returns the canonical combining class of a decomposed character; 0 is a letter of its own.
func (b *formBuffers) class(r rune) uint8 {
	if r < 0x300 || 0x4e00 <= r && r <= 0x9fff {
		return 0
	}
	return norm.NFD.Properties(utf8.AppendRune(b.in[:0], r)).CCC()
}

// order puts the marks that follow a letter into canonical order. The places that they are aligned with keep theirs.
func (b *formBuffers) order(text []alignedRune) {
	for i := 0; i < len(text); i++ {
		start, sorted := i, true
		for last := uint8(0); i < len(text); i++ {
			class := b.class(text[i].r)
			if class == 0 {
				break
			}
			sorted = sorted && last <= class
			last = class
		}
		if sorted {
			continue
		}
		marks := text[start:i]
		places := slices.Clone(marks)
		slices.SortStableFunc(marks, func(x, y alignedRune) int { return int(b.class(x.r)) - int(b.class(y.r)) })
		for j, p := range places {
			marks[j].start, marks[j].end = p.start, p.end
		}
	}
}

// compose replaces letters and marks of text[first:], which is decomposed and ordered, by composed letters.
func (b *formBuffers) compose(text []alignedRune, first int) []alignedRune {
	out := text[:first]
	letter, last := -1, uint8(0) // the letter that marks may join, and the class of what follows it
	for _, c := range text[first:] {
		class := b.class(c.r)
		if letter >= 0 && c.r >= 0x300 && (letter == len(out)-1 || last < class) {
			if r, ok := b.composite(out[letter].r, c.r); ok {
				out[letter].r, out[letter].end = r, c.end
				continue
			}
		}
		if class == 0 {
			letter = len(out)
		}
		last = class
		out = append(out, c)
	}
	return out
}

// composite returns the primary composite of two characters.
func (b *formBuffers) composite(first, second rune) (rune, bool) {
	pair := norm.NFC.Append(b.out[:0], utf8.AppendRune(utf8.AppendRune(b.in[:0], first), second)...)
	r, size := utf8.DecodeRune(pair)
	return r, size == len(pair)
}
