package tokenizer

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"
)

func ours(t testing.TB) *normalizer {
	t.Helper()
	blob, err := nmtNFKCCharsmap()
	if err != nil {
		t.Fatal(err)
	}
	n, err := newNormalizer(normalizerSpec{precompiledCharsmap: blob, removeExtraWhitespaces: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// The oracle is the charsmap that SentencePiece wrote into ALBERT's vocabulary. Ours comes from newer Unicode tables,
// so a character may have a rule in ours that the older one lacks, but never a different one.
func TestCharsmapAgreesWithReleasedVocabulary(t *testing.T) {
	const path = "../../shared/data/albert-vocab-en/spiece.model"
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no %s here", path)
	}
	u, err := ReadUnigram(path)
	if err != nil {
		t.Fatal(err)
	}
	n := ours(t)
	newer := 0
	for r := rune(1); r <= 0x10ffff; r++ {
		got, _ := n.prefix(string(r))
		want, _ := u.normalizer.prefix(string(r))
		switch {
		case got == want:
		case want == string(r):
			newer++
		default:
			t.Errorf("%U becomes %q, want %q", r, got, want)
		}
	}
	t.Logf("%d characters have a rule that the older tables lack", newer)
	for _, text := range []string{"cafe\u0301", "a\u0302\u0301", "\u00e2\u0301", "\u1112\u1161\u11ab\u1100\u1173\u11af", "e\u0301\u0301"} {
		n.spec.addDummyPrefix, n.spec.escapeWhitespaces = true, true
		if got, want := n.normalize(text), u.Normalize(text); got != want {
			t.Errorf("%+q becomes %+q, want %+q", text, got, want)
		}
	}
}

// Decomposed text is composed again: the oracle is NFKC itself.
func TestCharsmapComposes(t *testing.T) {
	n := ours(t)
	for r := rune(0xa1); r <= 0xffff; r++ {
		composed := norm.NFKC.String(string(r))
		if norm.NFC.String(norm.NFD.String(string(r))) != string(r) || composed != string(r) || r == 0x1680 || 0xd800 <= r && r < 0xe000 {
			continue
		}
		if decomposed := norm.NFD.String(string(r)); decomposed != string(r) {
			if got := n.normalize(decomposed); got != composed {
				t.Errorf("%+q becomes %+q, want %+q", decomposed, got, composed)
			}
		}
	}
}

func TestDoubleArray(t *testing.T) {
	keys := []string{"a", "ab", "abc", "b", "ba", strings.Repeat("z", 1000), "\xc3\xa9", "\xff"}
	values := []int32{0, 1, 2, 3, 4, 5, 6, 1<<31 - 1}
	d, err := newDoubleArray(keys, values)
	if err != nil {
		t.Fatal(err)
	}
	for i, key := range keys {
		for _, after := range []string{"", "\x00", "\x01x", "\xfe"} {
			if value, length := d.longestPrefix(key + after); value != values[i] || length != len(key) {
				t.Errorf("%q: got value %d of %d bytes, want %d of %d", key+after, value, length, values[i], len(key))
			}
		}
	}
	for _, text := range []string{"", "\x00", "c", "\xc3", "\xc3\x00", "zzz"} {
		if value, length := d.longestPrefix(text); value != -1 || length != 0 {
			t.Errorf("%q: got value %d of %d bytes, want none", text, value, length)
		}
	}
	for _, bad := range [][]string{{""}, {"b", "a"}, {"a", "a"}, {"a\x00b"}} {
		if _, err := newDoubleArray(bad, make([]int32, len(bad))); err == nil {
			t.Errorf("keys %q: got no error", bad)
		}
	}
}
