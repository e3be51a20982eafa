package tokenizer_test

import (
	"os"
	"testing"

	"goalbert/tokenizer"
)

// Encoding real prose with ALBERT's model; the bytes are those of the text.
func BenchmarkEncode(b *testing.B) {
	a := openReal(b)
	lines := bookLines(b, 20)
	size := 0
	for _, line := range lines {
		size += len(line)
	}
	run := func(name string, encode func([]int32, string) []int32) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			var ids []int32
			for b.Loop() {
				for _, line := range lines {
					ids = encode(ids[:0], line)
				}
			}
		})
	}
	run("raw", a.Unigram().AppendEncode)
	run("rules", a.AppendEncode)
	var tokens []tokenizer.Token
	run("offsets", func(ids []int32, line string) []int32 {
		tokens = a.AppendTokens(tokens[:0], line)
		return ids
	})
}

func BenchmarkLoad(b *testing.B) {
	openReal(b)
	data, err := os.ReadFile(realVocabulary + "/" + tokenizer.ModelFile)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := tokenizer.ParseUnigram(data); err != nil {
			b.Fatal(err)
		}
	}
}
