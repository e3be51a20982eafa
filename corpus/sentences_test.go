package corpus_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"goalbert/corpus"
)

// The oracle is a reader of English: | marks where sentences end.
func TestSentences(t *testing.T) {
	for _, text := range []string{
		"",
		"One sentence without an end",
		"First. |Second! |Third? |Fourth…",
		"It costs 3.14 dollars. |Then 2.5 more.",
		"Mr. Smith met Dr. Jones, e.g. Tuesday, i.e. Then. |He left.",
		"J. R. R. Tolkien wrote it. |C. S. Lewis read it.",
		"He lives in the U.S. Army base. |She left the U.S. |The end.",
		"Apples, pears, etc. |The rest is silence.",
		"It is base R plus X. |The address is R.",
		"So did I. |Then he left.",
		"\u201cStop!\u201d he said. |\u201cWhy?\u201d |She ran.",
		"\u201cStop!\u201d I said. |He stopped.",
		"He said \"No.\" |Then he left. |(It was late.) |[So it goes.]",
		"1. First things first. |2. Second things later.",
		"See No. 5 and p. 7 of vol. 2. |No. |She said no. |Then yes.",
		"Wait ... what? |Now... |Then nothing.",
		"Version 1.2.3 of foo.bar calls os.Open. |Closing it is an error.",
		"Kudo et al. Showed it in fig. 2. |We agree.",
	} {
		want := strings.FieldsFunc(text, func(r rune) bool { return r == '|' })
		for i := range want {
			want[i] = strings.TrimSpace(want[i])
		}
		if got := corpus.Sentences(strings.ReplaceAll(text, "|", "")); !slices.Equal(got, want) {
			t.Errorf("got  %s\nwant %s", strings.Join(got, "|"), strings.Join(want, "|"))
		}
	}
}

// Cutting loses nothing: the sentences joined by spaces are the words of the paragraph.
func FuzzSentences(f *testing.F) {
	f.Add("One. Two (three). \"Four!\" A. B. the end")
	f.Add("\xff. \u2028 . .. ...")
	f.Fuzz(func(t *testing.T, text string) {
		got := strings.Join(corpus.Sentences(text), " ")
		if want := strings.Join(strings.Fields(text), " "); got != want {
			t.Errorf("sentences of %q join to %q, want %q", text, got, want)
		}
	})
}

func ExampleSentences() {
	for _, sentence := range corpus.Sentences("Dr. Who paid 3.50 pounds. \"Too much!\" said the U.S. doctor.") {
		fmt.Println(sentence)
	}
	// Output:
	// Dr. Who paid 3.50 pounds.
	// "Too much!" said the U.S. doctor.
}
