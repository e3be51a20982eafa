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
// become ▁, and one ▁ is put in front.
type normalizer struct {
	spec         normalizerSpec
	rules        doubleArray // value: where the replacement begins in replacements
	replacements string      // each ended by a zero byte
	userDefined  doubleArray // pieces that pass unchanged
}

// newNormalizer reads the charsmap of spec: the size of the trie in bytes (uint32), the trie, the replacements.
func newNormalizer(spec normalizerSpec, userDefined doubleArray) (*normalizer, error) {
	n := &normalizer{spec: spec, userDefined: userDefined}
	blob := spec.precompiledCharsmap
	if len(blob) == 0 {
		return n, nil
	}
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
	if n.replacements[len(n.replacements)-1] != 0 {
		return nil, errors.New("precompiled_charsmap does not end with a zero byte; the file is damaged")
	}
	return n, nil
}

// normalize returns text as the segmentation sees it.
func (n *normalizer) normalize(text string) string {
	if n.spec.removeExtraWhitespaces {
		for len(text) > 0 {
			replacement, length := n.prefix(text)
			if replacement != " " {
				break
			}
			text = text[length:]
		}
	}
	if text == "" {
		return ""
	}
	space := " "
	if n.spec.escapeWhitespaces {
		space = whitespace
	}
	out := make([]byte, 0, len(text)+len(text)/2+len(space))
	if n.spec.addDummyPrefix {
		out = append(out, space...)
	}
	afterSpace := n.spec.removeExtraWhitespaces
	for len(text) > 0 {
		replacement, length := n.prefix(text)
		text = text[length:]
		if afterSpace {
			replacement = strings.TrimLeft(replacement, " ")
		}
		for i := range len(replacement) {
			if c := replacement[i]; c == ' ' {
				out = append(out, space...)
			} else {
				out = append(out, c)
			}
		}
		if replacement != "" {
			afterSpace = n.spec.removeExtraWhitespaces && strings.HasSuffix(replacement, " ")
		}
	}
	normalized := string(out)
	if n.spec.removeExtraWhitespaces {
		for strings.HasSuffix(normalized, space) {
			normalized = strings.TrimSuffix(normalized, space)
		}
	}
	return normalized
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
