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
		"¡Basta! |¿Qué? |¿Dónde vive el Sr. Gil? |Nadie lo sabe... |—Yo sí.",
		"It ended.[1] |Then it began.[2][13] |\"Why?\"[4] |In the U.S.[5] Army they know, etc.[6] |The rest [7] is 3.[8] |Dr.[9] No came.",
		"No. 5[1] is vol. 2.[1] |—The end. |(—So it is.)",
		"Lieut. Gray climbed Mt. Blanc at 5.30 a.m. |It was cold.",
		"\u201cWell\u2026\u201d |\u201cYes?\u201d |He paused... and spoke.",
		"\u4eca\u5929\u4e0b\u96e8\u3002|\u6211\u4eec\u5728\u5bb6\uff01|\u4f60\u5462\uff1f",
		"\u4ed6\u8bf4\uff1a\u201c\u597d\u3002\u201d|\u7136\u540e\u8d70\u4e86\u3002",
		"\u5f7c\u306f\u300c\u884c\u304f\u3002\u300d\u3068\u8a00\u3063\u305f\u3002|\u305d\u3057\u3066\u53bb\u3063\u305f\uff01\uff1f|\u7d42\u308f\u308a",
		"\u7248\u672c 2.0 \u51fa\u4e86\u3002|New text. |Another\u3002",
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

// Cutting loses nothing but white space: without CJK stops the sentences joined by spaces are the words of the
// paragraph, with them they are its characters. No sentence is blank.
func FuzzSentences(f *testing.F) {
	f.Add("One. Two (three). \"Four!\" A. B. the end")
	f.Add("\u4e00\u3002\u300d\u3068 \u3002 a\u3002\uff01b\uff1f\u300d c")
	f.Add("\xff. \u2028 . .. ...")
	f.Fuzz(func(t *testing.T, text string) {
		sentences := corpus.Sentences(text)
		separator := " "
		if strings.ContainsAny(text, "\u3002\uff01\uff1f\uff61") {
			separator = ""
			for i, sentence := range sentences {
				sentences[i] = strings.Join(strings.Fields(sentence), "")
			}
		}
		got := strings.Join(sentences, separator)
		if want := strings.Join(strings.Fields(text), separator); got != want {
			t.Errorf("sentences of %q join to %q, want %q", text, got, want)
		}
		if slices.Contains(sentences, "") {
			t.Errorf("a sentence of %q is blank: %q", text, sentences)
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
