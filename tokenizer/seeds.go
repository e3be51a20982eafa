package tokenizer

import (
	"cmp"
	"slices"
	"unicode"
)

const (
	maxSeeds       = 1_000_000 // pieces that training starts from, as in spm_train
	maxPieceLength = 16        // characters
)

// A candidate is a piece of a vocabulary that is being trained.
type candidate struct {
	text  string
	count float64 // how often it occurs, then how often it is expected to be used
}

// seeds returns the pieces that training starts from: every character, every word that occurs twice, and the substrings
// of words that occur in more than one surrounding, those that cover most of the text first.
//
// The substrings are the inner nodes of the suffix tree of the words, which are the intervals of equal prefixes in the
// sorted suffixes (Abouelhoda et al., "Replacing suffix trees with enhanced suffix arrays", 2004).
func seeds(w *words) []candidate {
	var pieces []candidate
	known := map[string]bool{}
	add := func(text []rune, count int) {
		if s := string(text); !known[s] && validPiece(text) {
			known[s] = true
			pieces = append(pieces, candidate{text: s, count: float64(count)})
		}
	}
	newSuffixes(w.list).intervals(add)
	for _, x := range w.list {
		if n := len(x.text); x.count >= 2 && n >= 2 && n <= maxPieceLength {
			add(x.text, x.count)
		}
	}
	coverage := func(c candidate) float64 { return c.count * float64(len([]rune(c.text))) }
	slices.SortFunc(pieces, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(coverage(b), coverage(a)), cmp.Compare(a.text, b.text))
	})
	pieces = pieces[:min(len(pieces), maxSeeds)]
	for _, r := range sortedRunes(w.characters) {
		pieces = append(pieces, candidate{text: string(r), count: float64(w.characters[r])})
	}
	return pieces
}

// sortedRunes returns characters, the most frequent first.
func sortedRunes(counts map[rune]int) []rune {
	order := make([]rune, 0, len(counts))
	for r := range counts {
		order = append(order, r)
	}
	slices.SortFunc(order, func(a, b rune) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b)) })
	return order
}

// A suffix is the rest of a word from a place on, cut off after the longest piece.
type suffix struct {
	text  []rune
	count int
}

// suffixes are those of all words, sorted.
type suffixes []suffix

func newSuffixes(list []word) suffixes {
	var s suffixes
	for _, w := range list {
		for i := range w.text {
			s = append(s, suffix{text: w.text[i:min(i+maxPieceLength, len(w.text))], count: w.count})
		}
	}
	slices.SortFunc(s, func(a, b suffix) int { return slices.Compare(a.text, b.text) })
	return s
}

// intervals calls visit for each longest common prefix, of two characters or more, of a run of suffixes that cannot be
// extended, with the number of times that it occurs in the text.
func (s suffixes) intervals(visit func(prefix []rune, count int)) {
	type interval struct{ length, first int }
	before := make([]int, len(s)+1) // occurrences of the suffixes before each
	for i, x := range s {
		before[i+1] = before[i] + x.count
	}
	var open []interval
	for i := 1; i <= len(s); i++ {
		common, first := 0, i-1
		if i < len(s) {
			common = commonPrefix(s[i-1].text, s[i].text)
		}
		for len(open) > 0 && open[len(open)-1].length > common {
			last := open[len(open)-1]
			open = open[:len(open)-1]
			visit(s[last.first].text[:last.length], before[i]-before[last.first])
			first = last.first
		}
		if common >= 2 && (len(open) == 0 || open[len(open)-1].length < common) {
			open = append(open, interval{common, first})
		}
	}
}

func commonPrefix(a, b []rune) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// validPiece says whether text may be a piece: ▁ at its beginning only, and one script, digits and marks being one too.
func validPiece(text []rune) bool {
	var script *unicode.RangeTable
	for i, r := range text {
		if r == '▁' {
			if i > 0 {
				return false
			}
			continue
		}
		s := scriptOf(r)
		if s == unicode.Inherited {
			continue
		}
		if script != nil && s != script {
			return false
		}
		script = s
	}
	return true
}

// scriptOf returns the script of a character. Kana count as Han, since Japanese mixes them in a word.
func scriptOf(r rune) *unicode.RangeTable {
	switch {
	case 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z':
		return unicode.Latin
	case r < 0x80:
		return unicode.Common
	case unicode.Is(unicode.Hiragana, r) || unicode.Is(unicode.Katakana, r) || r == 'ー':
		return unicode.Han
	}
	for _, table := range unicode.Scripts {
		if unicode.Is(table, r) {
			return table
		}
	}
	return unicode.Common
}
