package tokenizer

import (
	"encoding/binary"
	"maps"
	"slices"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// nmtNFKC is the name of SentencePiece's default rules.
const nmtNFKC = "nmt_nfkc"

// nmtNFKCCharsmap returns the rules nmt_nfkc in the form of a spiece.model: Unicode's NFKC of single characters, the
// canonical compositions (e and U+0301 become é, three jamo a syllable), and the rules of SentencePiece's
// builder.cc for machine translation: white space and zero-width characters become spaces, other control characters
// vanish, and ～ (U+FF5E) stays.
var nmtNFKCCharsmap = sync.OnceValues(func() ([]byte, error) {
	rules := make(map[string]string)
	for r := rune(1); r <= unicode.MaxRune; r++ {
		if 0xd800 <= r && r <= 0xdfff {
			continue
		}
		addUnicodeRules(rules, string(r))
	}
	delete(rules, "\uff5e")
	for _, r := range "\t\n\f\r\u1680\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u2581\ufeff\ufffd" {
		rules[string(r)] = " "
	}
	for r := rune(1); r < ' '; r++ {
		if _, space := rules[string(r)]; !space {
			rules[string(r)] = ""
		}
	}
	for _, r := range "\u007f\u008f\u009f" {
		rules[string(r)] = ""
	}
	return marshalCharsmap(rules)
})

// addUnicodeRules adds what a character becomes, or what is composed to it: its canonical decomposition. As in
// SentencePiece, partly composed sequences have no rule.
func addUnicodeRules(rules map[string]string, character string) {
	if composed := norm.NFKC.String(character); composed != character {
		rules[character] = composed
	} else if decomposed := norm.NFD.String(character); decomposed != character {
		rules[decomposed] = character
	}
}

// marshalCharsmap writes rules as a precompiled_charsmap: the size of the trie, the trie, the replacements.
func marshalCharsmap(rules map[string]string) ([]byte, error) {
	keys := slices.Sorted(maps.Keys(rules))
	values := make([]int32, len(keys))
	var replacements []byte
	starts := make(map[string]int32)
	for i, key := range keys {
		replacement := rules[key]
		start, ok := starts[replacement]
		if !ok {
			start = int32(len(replacements))
			starts[replacement] = start
			replacements = append(append(replacements, replacement...), 0)
		}
		values[i] = start
	}
	trie, err := newDoubleArray(keys, values)
	if err != nil {
		return nil, err
	}
	blob := binary.LittleEndian.AppendUint32(nil, uint32(4*len(trie)))
	for _, unit := range trie {
		blob = binary.LittleEndian.AppendUint32(blob, unit)
	}
	return append(blob, replacements...), nil
}
