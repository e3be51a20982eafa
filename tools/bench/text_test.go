package main

import "testing"

// The parts of a text for so many threads are its lines, each once.
func TestLinesFrom(t *testing.T) {
	for _, text := range []string{"", "\n", "one line", "a\nbb\n\nccc\n", "no end\nhere"} {
		for parts := 1; parts < 8; parts++ {
			joined := ""
			for i := range parts {
				part := linesFrom(text, i*len(text)/parts, (i+1)*len(text)/parts)
				if part != "" && i > 0 && joined != "" && joined[len(joined)-1] != '\n' {
					t.Errorf("%q in %d: part %d begins within a line", text, parts, i)
				}
				joined += part
			}
			if joined != text {
				t.Errorf("%q in %d parts gives %q", text, parts, joined)
			}
		}
	}
}
