package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
)

// Lines are answered in order, whole, and the same by any number of threads, however the input arrives.
func TestAnswerLines(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	var long strings.Builder
	for i := range 20000 {
		fmt.Fprintf(&long, "%d%s\n", i, strings.Repeat("x", random.IntN(100)))
	}
	long.WriteString(strings.Repeat("y", 3*blockSize) + "\n\nlast, without an end")
	answer := func() func([]byte, string) []byte {
		return func(out []byte, line string) []byte { return fmt.Appendf(out, "<%s>", line) }
	}
	for _, text := range []string{"", "\n", "a", "a\n", "a\r\n\nb", long.String()} {
		var want strings.Builder
		for line := range strings.Lines(text) {
			fmt.Fprintf(&want, "<%s>\n", strings.TrimSuffix(line, "\n"))
		}
		for _, threads := range []int{1, 2, 5} {
			for _, in := range []io.Reader{strings.NewReader(text), iotest.HalfReader(strings.NewReader(text)), iotest.DataErrReader(strings.NewReader(text))} {
				var out bytes.Buffer
				if err := answerLines(context.Background(), in, &out, threads, answer); err != nil || out.String() != want.String() {
					t.Errorf("%d threads, %d bytes: got %d bytes, error %v, want %d bytes", threads, len(text), out.Len(), err, want.Len())
				}
			}
		}
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

// endless is input that never ends.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return copy(p, "one line\n"), nil }

// What ends early says where, and ends.
func TestAnswerLinesFails(t *testing.T) {
	answer := func() func([]byte, string) []byte {
		return func(out []byte, line string) []byte { return append(out, line...) }
	}
	broken := errors.New("broken")
	stopped, stop := context.WithCancel(context.Background())
	stop()
	for _, threads := range []int{1, 3} {
		for _, test := range []struct {
			ctx  context.Context
			in   io.Reader
			out  io.Writer
			want string
		}{
			{context.Background(), io.MultiReader(strings.NewReader("a\nb\nc"), iotest.ErrReader(broken)), io.Discard, "standard input, line 3: broken"},
			{context.Background(), endless{}, brokenWriter{broken}, "standard output: broken"},
			{context.Background(), strings.NewReader("a\n" + strings.Repeat("b", maxLine+blockSize)), io.Discard, "standard input, line 2: it has more than"},
			{stopped, endless{}, io.Discard, "context canceled"},
		} {
			err := answerLines(test.ctx, test.in, test.out, threads, answer)
			if err == nil || !strings.HasPrefix(err.Error(), test.want) {
				t.Errorf("%d threads: got error %v, want %s", threads, err, test.want)
			}
		}
	}
}

// The tokens of a line with the bytes that they stand for; with --raw the ids of spm_encode.
func TestTokenizerEncode(t *testing.T) {
	const model = "../../tokenizer/testdata/unigram"
	for _, test := range []struct {
		arguments []string
		want      string
	}{
		{[]string{"--offsets"}, "14:0-3 50:5-8\n\n"},
		{nil, "14 50\n\n"},
		{[]string{"--raw", "--threads", "1"}, "170 171 50\n\n"},
	} {
		arguments := append([]string{"tokenizer", "encode", "--model", model}, test.arguments...)
		if got := albert(t, "The  dog\n\n", arguments...); got.stdout != test.want {
			t.Errorf("%v: got %q and %q, want %q", test.arguments, got.stdout, got.stderr, test.want)
		}
	}
	if got := albert(t, "", "tokenizer", "encode", "--model", model, "--threads", "-1"); got.code != exitUsage {
		t.Errorf("-1 threads: exit code %d and %q, want %d", got.code, got.stderr, exitUsage)
	}
}

// --raw uses the spiece.model of a directory, and says that it is for these where there is none.
func TestTokenizerEncodeRaw(t *testing.T) {
	const wordPiece = "../../tokenizer/testdata/wordpiece"
	got := albert(t, "", "tokenizer", "encode", "--raw", "--model", wordPiece+"/vocab.txt")
	if got.code != exitUsage || !strings.Contains(got.stderr, "--raw is for SentencePiece models") {
		t.Errorf("exit code %d and %q, want %d", got.code, got.stderr, exitUsage)
	}
	albert(t, "", "tokenizer", "encode", "--raw", "--model", wordPiece).fails(t, "no such file", "--raw is for SentencePiece models")
}

// A directory that exists is refused before the text is looked at.
func TestTokenizerTrainRefusesExisting(t *testing.T) {
	for _, kind := range []string{unigramType, wordPieceType} {
		dir := t.TempDir()
		albert(t, "", "tokenizer", "train", "no such text", "--type", kind, "--out", dir).fails(t, dir, "exists already")
	}
}
