package tokenizer

import (
	"fmt"
	"unicode"
)

// addedTokens finds added tokens in text: the leftmost, and of those the longest.
type addedTokens struct {
	trie   doubleArray // values are indices of tokens
	tokens []addedTokenID
	begins map[rune]bool // the first characters of tokens
}

// newAddedTokens takes those of tokens that are looked for in normalized text, or in text as it is.
func newAddedTokens(tokens []addedTokenID, normalized bool, steps []normalizerStep) (*addedTokens, error) {
	a := &addedTokens{begins: map[rune]bool{}}
	values := map[string]int32{}
	var b stepBuffers
	for _, token := range tokens {
		if token.Normalized != normalized {
			continue
		}
		text := b.apply(steps, appendAligned(nil, token.Content, 0))
		if len(text) == 0 {
			return nil, fmt.Errorf("%q is nothing once it is normalized", token.Content)
		}
		if _, double := values[textOf(text)]; !double {
			values[textOf(text)] = int32(len(a.tokens))
		}
		a.begins[text[0].r] = true
		a.tokens = append(a.tokens, token)
	}
	var err error
	a.trie, err = trieOf(values)
	return a, err
}

// textOf returns the characters as a string.
func textOf(text []alignedRune) string {
	runes := make([]rune, len(text))
	for i, c := range text {
		runes[i] = c.r
	}
	return string(runes)
}

// matches goes through a text: added tokens, and the parts between them.
type matches struct {
	tokens     *addedTokens
	text       []alignedRune
	start, end int // the part, in characters
	found      bool
	id         int32

	after, searched int // where the next part begins, and where the search for tokens goes on
	pending         bool
	pendingFrom, to int
	pendingID       int32
}

// next goes to the next part, and says whether there is one.
func (m *matches) next() bool {
	if !m.pending {
		m.search()
	}
	if m.pending && m.after >= m.pendingFrom {
		m.start, m.end, m.found, m.id = m.pendingFrom, m.to, true, m.pendingID
		m.after, m.pending = m.to, false
		return true
	}
	if m.after >= len(m.text) {
		return false
	}
	m.start, m.end, m.found = m.after, len(m.text), false
	if m.pending {
		m.end = m.pendingFrom
	}
	m.after = m.end
	return true
}

// search finds the next added token. One that must be a single word and is not is skipped.
func (m *matches) search() {
	for ; m.searched < len(m.text) && len(m.tokens.tokens) > 0; m.searched++ {
		if !m.tokens.begins[m.text[m.searched].r] {
			continue
		}
		index, length := longest(m.tokens.trie, m.text[m.searched:])
		if length == 0 {
			continue
		}
		token := &m.tokens.tokens[index]
		start, end := m.searched, m.searched+length
		m.searched = end
		if token.SingleWord && (start > 0 && isWord(m.text[start-1].r) || end < len(m.text) && isWord(m.text[end].r)) {
			m.searched--
			continue
		}
		for token.LStrip && start > m.after && unicode.IsSpace(m.text[start-1].r) {
			start--
		}
		for token.RStrip && end < len(m.text) && unicode.IsSpace(m.text[end].r) {
			end++
		}
		m.pending, m.pendingFrom, m.to, m.pendingID = true, start, end, token.ID
		return
	}
}

// isWord is \w of the regex crate (UTS 18): alphabetic, marks, decimal digits, connectors, joiners.
func isWord(r rune) bool {
	return unicode.In(r, unicode.L, unicode.Nl, unicode.Other_Alphabetic, unicode.M, unicode.Nd, unicode.Pc,
		unicode.Join_Control)
}
