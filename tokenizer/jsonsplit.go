package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// splitText is text cut into words.
type splitText struct {
	text  []alignedRune
	spans []wordSpan
}

func (s *splitText) reset() { s.text, s.spans = s.text[:0], s.spans[:0] }

// add appends the text of a word.
func (s *splitText) add(word []alignedRune) {
	if len(word) > 0 {
		s.spans = append(s.spans, wordSpan{len(s.text), len(s.text) + len(word)})
		s.text = append(s.text, word...)
	}
}

// A preTokenizer adds a word to dst, cut further.
type preTokenizer func(dst *splitText, word []alignedRune)

// split returns the words of text.
func (b *pipelineBuffers) split(steps []preTokenizer, text []alignedRune) *splitText {
	b.words[0].reset()
	b.words[0].add(text)
	for i, step := range steps {
		from, to := &b.words[i%2], &b.words[(i+1)%2]
		to.reset()
		for _, span := range from.spans {
			step(to, from.text[span.start:span.end])
		}
	}
	return &b.words[len(steps)%2]
}

// parsePreTokenizers reads a pre_tokenizer; a Sequence is its parts.
func parsePreTokenizers(data json.RawMessage) ([]preTokenizer, error) {
	kind, err := typeOf(data)
	if err != nil || kind == "" {
		return nil, err
	}
	switch kind {
	case "Sequence":
		var s struct{ PreTokenizers []json.RawMessage }
		if err := json.Unmarshal(data, &s); err != nil {
			return nil, err
		}
		var all []preTokenizer
		for i, part := range s.PreTokenizers {
			steps, err := parsePreTokenizers(part)
			if err != nil {
				return nil, fmt.Errorf("part %d: %w", i, err)
			}
			all = append(all, steps...)
		}
		return all, nil
	case "WhitespaceSplit":
		return []preTokenizer{splitSpaces}, nil
	case "Whitespace":
		return []preTokenizer{splitWords}, nil
	case "BertPreTokenizer":
		return []preTokenizer{splitSpaces, splitPunctuation}, nil
	case "Metaspace":
		m, err := parseMetaspace(data)
		return []preTokenizer{m.split}, err
	}
	return nil, fmt.Errorf("%s: not supported, want Sequence, WhitespaceSplit, Whitespace, BertPreTokenizer or "+
		"Metaspace", kind)
}

// splitSpaces drops white space.
func splitSpaces(dst *splitText, word []alignedRune) {
	start := 0
	for i, c := range word {
		if unicode.IsSpace(c.r) {
			dst.add(word[start:i])
			start = i + 1
		}
	}
	dst.add(word[start:])
}

// splitPunctuation makes punctuation words of their own.
func splitPunctuation(dst *splitText, word []alignedRune) {
	start := 0
	for i, c := range word {
		if isPunctuation(c.r) {
			dst.add(word[start:i])
			dst.add(word[i : i+1])
			start = i + 1
		}
	}
	dst.add(word[start:])
}

// splitWords is the regular expression \w+|[^\w\s]+ : runs of word characters, and of what is neither that nor space.
func splitWords(dst *splitText, word []alignedRune) {
	class := func(c alignedRune) int {
		switch {
		case isWord(c.r):
			return 1
		case unicode.IsSpace(c.r):
			return 0
		}
		return 2
	}
	for start := 0; start < len(word); {
		this, end := class(word[start]), start+1
		for end < len(word) && class(word[end]) == this {
			end++
		}
		if this != 0 {
			dst.add(word[start:end])
		}
		start = end
	}
}

// metaspace writes spaces as a character that begins words.
type metaspace struct {
	replacement rune
	scheme      string // whether text gets one in front: always, first (at the beginning of all text) or never
	cut         bool   // whether words are cut there
}

func parseMetaspace(data json.RawMessage) (m metaspace, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s: %w", "Metaspace", err)
		}
	}()
	var j struct {
		Replacement    string `json:"replacement"`
		AddPrefixSpace *bool  `json:"add_prefix_space"`
		PrependScheme  string `json:"prepend_scheme"`
		Split          *bool  `json:"split"`
	}
	if err := json.Unmarshal(data, &j); err != nil {
		return m, err
	}
	m = metaspace{scheme: j.PrependScheme, cut: j.Split == nil || *j.Split}
	if m.scheme == "" {
		m.scheme = "always"
	}
	var size int
	if m.replacement, size = utf8.DecodeRuneInString(j.Replacement); size == 0 || size != len(j.Replacement) {
		return m, fmt.Errorf("replacement is %q, want one character", j.Replacement)
	}
	if m.scheme != "always" && m.scheme != "first" && m.scheme != "never" {
		return m, fmt.Errorf("prepend_scheme is %q, want always, first or never", m.scheme)
	}
	if j.AddPrefixSpace != nil && !*j.AddPrefixSpace && m.scheme != "never" {
		return m, errors.New("add_prefix_space is false, but prepend_scheme is not never")
	}
	return m, nil
}

func (m metaspace) split(dst *splitText, word []alignedRune) {
	first := len(dst.text)
	if c := word[0]; c.r != m.replacement && c.r != ' ' && (m.scheme == "always" || m.scheme == "first" && c.start == 0) {
		dst.text = append(dst.text, alignedRune{m.replacement, c.start, c.start})
	}
	for _, c := range word {
		if c.r == ' ' {
			c.r = m.replacement
		}
		dst.text = append(dst.text, c)
	}
	start := first
	for i := first + 1; i < len(dst.text) && m.cut; i++ {
		if dst.text[i].r == m.replacement {
			dst.spans = append(dst.spans, wordSpan{start, i})
			start = i
		}
	}
	dst.spans = append(dst.spans, wordSpan{start, len(dst.text)})
}
