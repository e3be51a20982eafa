package tokenizer

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// A normalizerStep appends src to dst as a normalizer of a tokenizer.json changes it. The two do not overlap.
type normalizerStep func(dst, src []alignedRune) []alignedRune

// stepBuffers hold text between steps.
type stepBuffers [2][]alignedRune

// apply returns text after all steps. It is text itself if there is none.
func (b *stepBuffers) apply(steps []normalizerStep, text []alignedRune) []alignedRune {
	for i, step := range steps {
		b[i%2] = step(b[i%2][:0], text)
		text = b[i%2]
	}
	return text
}

// parseNormalizers reads a normalizer; a Sequence is its parts.
func parseNormalizers(data json.RawMessage) ([]normalizerStep, error) {
	kind, err := typeOf(data)
	if err != nil || kind == "" {
		return nil, err
	}
	if kind != "Sequence" {
		steps, err := parseNormalizer(kind, data)
		if err != nil {
			err = fmt.Errorf("%s: %w", kind, err)
		}
		return steps, err
	}
	var s struct{ Normalizers []json.RawMessage }
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, err
	}
	var all []normalizerStep
	for i, part := range s.Normalizers {
		steps, err := parseNormalizers(part)
		if err != nil {
			return nil, fmt.Errorf("part %d: %w", i, err)
		}
		all = append(all, steps...)
	}
	return all, nil
}

// parseNormalizer reads a normalizer of one kind.
func parseNormalizer(kind string, data json.RawMessage) ([]normalizerStep, error) {
	switch kind {
	case "NFC":
		return []normalizerStep{formNFC.append}, nil
	case "NFD":
		return []normalizerStep{formNFD.append}, nil
	case "NFKC":
		return []normalizerStep{formNFKC.append}, nil
	case "NFKD":
		return []normalizerStep{formNFKD.append}, nil
	case "Lowercase":
		return []normalizerStep{lowercaseStep}, nil
	case "StripAccents":
		return []normalizerStep{dropStep(unicode.IsMark)}, nil
	case "Nmt":
		return []normalizerStep{nmtStep}, nil
	case "Strip":
		return parseStrip(data)
	case "Replace":
		return parseReplace(data)
	case "Precompiled":
		return parsePrecompiled(data)
	case "BertNormalizer":
		return parseBertNormalizer(data)
	}
	return nil, errors.New("not supported, want Sequence, NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Nmt, Strip, " +
		"Replace, Precompiled or BertNormalizer")
}

func lowercaseStep(dst, src []alignedRune) []alignedRune {
	for _, c := range src {
		dst = appendLower(dst, c)
	}
	return dst
}

// dropStep leaves out some characters.
func dropStep(drop func(rune) bool) normalizerStep {
	return func(dst, src []alignedRune) []alignedRune {
		for _, c := range src {
			if !drop(c.r) {
				dst = append(dst, c)
			}
		}
		return dst
	}
}

// nmtStep drops control characters and makes spaces of other ones without a shape.
func nmtStep(dst, src []alignedRune) []alignedRune {
	for _, c := range src {
		switch r := c.r; {
		case 1 <= r && r <= 8, r == 0xb, 0xe <= r && r <= 0x1f, r == 0x7f, r == 0x8f, r == 0x9f:
			continue
		case r == '\t', r == '\n', r == '\f', r == '\r', r == 0x1680, 0x200b <= r && r <= 0x200f, r == 0x2028,
			r == 0x2029, r == 0x2581, r == 0xfeff, r == 0xfffd:
			c.r = ' '
		}
		dst = append(dst, c)
	}
	return dst
}

func parseStrip(data json.RawMessage) ([]normalizerStep, error) {
	var s struct {
		Left  bool `json:"strip_left"`
		Right bool `json:"strip_right"`
	}
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, err
	}
	return []normalizerStep{func(dst, src []alignedRune) []alignedRune {
		for s.Left && len(src) > 0 && unicode.IsSpace(src[0].r) {
			src = src[1:]
		}
		for s.Right && len(src) > 0 && unicode.IsSpace(src[len(src)-1].r) {
			src = src[:len(src)-1]
		}
		return append(dst, src...)
	}}, nil
}

// simplePattern matches the regular expressions that mean the same to Oniguruma and to Go: literals and sets of them,
// each perhaps repeated.
var simplePattern = regexp.MustCompile(
	`^(([^\\^$.|?*+()\[\]{}]|\[\^?[^\\^\[\]&]+\])(\{\d{1,3}(,\d{0,3})?\}|[+*?])?)+$`)

func parseReplace(data json.RawMessage) ([]normalizerStep, error) {
	var r struct {
		Pattern struct{ String, Regex *string }
		Content string
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, err
	}
	var expression string
	switch {
	case r.Pattern.String != nil:
		expression = regexp.QuoteMeta(*r.Pattern.String)
	case r.Pattern.Regex != nil && simplePattern.MatchString(*r.Pattern.Regex):
		expression = *r.Pattern.Regex
	default:
		return nil, errors.New("the pattern is not supported, want a String, or a Regex of literals, sets of " +
			"them and repetitions, such as \" {2,}\"")
	}
	pattern, err := regexp.Compile(expression)
	if err != nil {
		return nil, err
	}
	if pattern.MatchString("") {
		return nil, fmt.Errorf("%q matches the empty text, which is not supported", expression)
	}
	return []normalizerStep{replaceStep(pattern, []rune(r.Content))}, nil
}

// replaceStep replaces what matches pattern; the replacement is aligned with the last character of that.
func replaceStep(pattern *regexp.Regexp, content []rune) normalizerStep {
	literal, _ := pattern.LiteralPrefix() // every match begins with it
	first, _ := utf8.DecodeRuneInString(literal)
	return func(dst, src []alignedRune) []alignedRune {
		if literal != "" && !slices.ContainsFunc(src, func(c alignedRune) bool { return c.r == first }) {
			return append(dst, src...)
		}
		text, at := textOf(src), 0 // at: the character after the last match
		last := 0                  // its byte
		for _, m := range pattern.FindAllStringIndex(text, -1) {
			from := at + utf8.RuneCountInString(text[last:m[0]])
			dst = append(dst, src[at:from]...)
			at = from + utf8.RuneCountInString(text[m[0]:m[1]])
			last = m[1]
			for _, r := range content {
				dst = append(dst, alignedRune{r, src[at-1].start, src[at-1].end})
			}
		}
		return append(dst, src[at:]...)
	}
}

func parsePrecompiled(data json.RawMessage) ([]normalizerStep, error) {
	var p struct {
		Charsmap string `json:"precompiled_charsmap"`
	}
	if err := json.Unmarshal(data, &p); err != nil {
		return nil, err
	}
	blob, err := base64.StdEncoding.DecodeString(p.Charsmap)
	if err != nil {
		return nil, err
	}
	n, err := newNormalizer(normalizerSpec{precompiledCharsmap: blob}, nil)
	if err != nil {
		return nil, err
	}
	return []normalizerStep{n.precompiledStep}, nil
}

// precompiledStep applies a charsmap as the library does, which is not as SentencePiece does: to each grapheme of less
// than six bytes, and where it has no rule for that or it is longer, to each of its characters. A rule for the
// beginning of either replaces all of it.
func (n *normalizer) precompiledStep(dst, src []alignedRune) []alignedRune {
	if len(src) == 0 {
		return dst
	}
	first, begin := len(dst), src[0].start
	for len(src) > 0 {
		size := grapheme(src)
		var b [2 * utf8.UTFMax]byte
		text, short := b[:0], true
		for _, c := range src[:size] {
			if text = utf8.AppendRune(text, c.r); len(text) >= 6 {
				short = false
				break
			}
		}
		if replacement, ok := n.shortestRule(text); short && ok {
			dst = appendReplacement(dst, replacement, src[0].start, src[size-1].end)
		} else {
			for _, c := range src[:size] {
				if replacement, ok := n.shortestRule(utf8.AppendRune(b[:0], c.r)); ok {
					dst = appendReplacement(dst, replacement, c.start, c.end)
				} else {
					dst = append(dst, c)
				}
			}
		}
		src = src[size:]
	}
	if len(dst) > first {
		dst[first].start = begin // what vanished at the beginning counts with what follows
	}
	return dst
}

func appendReplacement(dst []alignedRune, replacement string, start, end int) []alignedRune {
	for _, r := range replacement {
		dst = append(dst, alignedRune{r, start, end})
	}
	return dst
}

// shortestRule returns the replacement of the shortest rule that text begins with.
func (n *normalizer) shortestRule(text []byte) (string, bool) {
	base := n.rules.root()
	for _, c := range text {
		next, value, ok := n.rules.step(base, c)
		if !ok || c == 0 {
			return "", false
		}
		if value >= 0 {
			replacement := n.replacements[value:]
			return replacement[:strings.IndexByte(replacement, 0)], true
		}
		base = next
	}
	return "", false
}

// grapheme returns how many characters the first grapheme cluster of text has (UAX 29).
func grapheme(text []alignedRune) int {
	plain := func(r rune) bool { // these join neither each other nor, before them, anything
		return r < 0x300 && r != '\r' || 0x2010 <= r && r <= 0x2027 || 0x4e00 <= r && r <= 0x9fff
	}
	if plain(text[0].r) && (len(text) == 1 || plain(text[1].r)) {
		return 1
	}
	// A cluster is as long as one likes; it is looked for in more and more characters.
	for n := 16; ; n *= 4 {
		n = min(n, len(text))
		cluster, _, _, _ := uniseg.FirstGraphemeClusterInString(textOf(text[:n]), -1)
		if size := utf8.RuneCountInString(cluster); size < n || n == len(text) {
			return size
		}
	}
}

func parseBertNormalizer(data json.RawMessage) ([]normalizerStep, error) {
	var b struct {
		CleanText    *bool `json:"clean_text"`
		Chinese      *bool `json:"handle_chinese_chars"`
		StripAccents *bool `json:"strip_accents"`
		Lowercase    *bool `json:"lowercase"`
	}
	if err := json.Unmarshal(data, &b); err != nil {
		return nil, err
	}
	if b.CleanText == nil || b.Chinese == nil || b.Lowercase == nil {
		return nil, errors.New("want clean_text, handle_chinese_chars and lowercase")
	}
	var steps []normalizerStep
	if *b.CleanText {
		steps = append(steps, cleanTextStep)
	}
	if *b.Chinese {
		steps = append(steps, chineseStep)
	}
	if b.StripAccents != nil && *b.StripAccents || b.StripAccents == nil && *b.Lowercase {
		steps = append(steps, formNFD.append, dropStep(func(r rune) bool { return unicode.Is(unicode.Mn, r) }))
	}
	if *b.Lowercase {
		steps = append(steps, lowercaseStep)
	}
	return steps, nil
}

// cleanTextStep is Bert's clean_text in the library, where unassigned characters stay.
func cleanTextStep(dst, src []alignedRune) []alignedRune {
	for _, c := range src {
		switch {
		case c.r == '\t', c.r == '\n', c.r == '\r':
			c.r = ' '
		case c.r == 0 || c.r == 0xfffd || unicode.In(c.r, unicode.Cc, unicode.Cf, unicode.Co):
			continue
		case unicode.IsSpace(c.r):
			c.r = ' '
		}
		dst = append(dst, c)
	}
	return dst
}

// chineseStep puts spaces around ideographs. The library's range of Extension E begins 256 characters late.
func chineseStep(dst, src []alignedRune) []alignedRune {
	for _, c := range src {
		if isChinese(c.r) && !(0x2b820 <= c.r && c.r < 0x2b920) {
			dst = append(dst, alignedRune{' ', c.start, c.start}, c, alignedRune{' ', c.end, c.end})
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}
