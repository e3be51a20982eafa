package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"goalbert/tokenizer"
)

func newTokenizerEncode() *cobra.Command {
	c := &cobra.Command{
		Use:   "encode --model MODEL",
		Short: "Text on standard input to ids, one line each",
		Args:  arguments(cobra.NoArgs),
	}
	model := modelFlag(c)
	raw := c.Flags().Bool("raw", false, "what spm_encode --output_format=id prints, without ALBERT's rules")
	offsets := c.Flags().Bool("offsets", false, "write ID:START-END, the bytes of the line that the token stands for")
	threads := c.Flags().Int("threads", 0, "0 is one a processor")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if *threads < 0 {
			return usageError{fmt.Errorf("got --threads %d, want at least 0", *threads)}
		}
		if *threads == 0 {
			*threads = runtime.GOMAXPROCS(0)
		}
		t, err := openEncoder(*model, *raw)
		if err != nil {
			return err
		}
		answer := func() func([]byte, string) []byte { return idLines(t) }
		if *offsets {
			answer = func() func([]byte, string) []byte { return offsetLines(t) }
		}
		return answerLines(c.Context(), c.InOrStdin(), c.OutOrStdout(), *threads, answer)
	}
	return c
}

// encoder is what encoding needs of a tokenizer.
type encoder interface {
	AppendEncode(dst []int32, text string) []int32
	AppendTokens(dst []tokenizer.Token, text string) []tokenizer.Token
}

// openEncoder opens a tokenizer; without ALBERT's rules any unigram model will do.
func openEncoder(model string, raw bool) (encoder, error) {
	if !raw {
		return openTokenizer(model)
	}
	if isDirectory(model) {
		model = filepath.Join(model, tokenizer.ModelFile)
	}
	if ext := filepath.Ext(model); ext == ".txt" || ext == ".json" {
		return nil, usagef("--raw is for SentencePiece models, and %s is none; leave it out, or give a spiece.model", model)
	}
	u, err := tokenizer.ReadUnigram(model)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w; --raw is for SentencePiece models", err)
	}
	return u, err
}

// idLines returns a function that appends the ids of a line, separated by spaces.
func idLines(t encoder) func(out []byte, line string) []byte {
	var ids []int32
	return func(out []byte, line string) []byte {
		ids = t.AppendEncode(ids[:0], line)
		for i, id := range ids {
			if i > 0 {
				out = append(out, ' ')
			}
			out = strconv.AppendInt(out, int64(id), 10)
		}
		return out
	}
}

// offsetLines returns a function that appends the tokens of a line as ID:START-END, separated by spaces.
func offsetLines(t encoder) func(out []byte, line string) []byte {
	var tokens []tokenizer.Token
	return func(out []byte, line string) []byte {
		tokens = t.AppendTokens(tokens[:0], line)
		for i, k := range tokens {
			if i > 0 {
				out = append(out, ' ')
			}
			out = strconv.AppendInt(out, int64(k.ID), 10)
			out = strconv.AppendInt(append(out, ':'), int64(k.Start), 10)
			out = strconv.AppendInt(append(out, '-'), int64(k.End), 10)
		}
		return out
	}
}

// block is some whole lines, and what is answered to them.
type block struct {
	text, out []byte
	done      chan struct{} // receives when out is complete
}

// blockSize is how much text is worth handing to a goroutine.
const blockSize = 1 << 18

// answerLines answers each line of in with a line of out, in order, with so many goroutines. Each calls newAnswer once
// for a function that appends the answer to one line. With one, nothing runs beside the caller. An answer does not
// wait for the lines after it: what there is to read is answered.
func answerLines(ctx context.Context, in io.Reader, out io.Writer, threads int, newAnswer func() func([]byte, string) []byte) error {
	lines := &lineReader{in: in, number: 1}
	if threads == 1 {
		answer, b := newAnswer(), new(block)
		for ctx.Err() == nil {
			readErr := lines.read(b)
			b.answer(answer)
			if _, err := out.Write(b.out); err != nil {
				return fmt.Errorf("standard output: %w", err)
			}
			if readErr != nil {
				return lines.failure(readErr)
			}
		}
		return ctx.Err()
	}
	work, order, free := make(chan *block, 2*threads), make(chan *block, 2*threads), make(chan *block, 2*threads)
	for range 2 * threads {
		free <- &block{done: make(chan struct{}, 1)}
	}
	var workers sync.WaitGroup
	for range threads {
		workers.Go(func() {
			answer := newAnswer()
			for b := range work {
				b.answer(answer)
				b.done <- struct{}{}
			}
		})
	}
	written := make(chan error, 1)
	stop := make(chan struct{})
	go func() {
		var failed error
		for b := range order {
			<-b.done
			if _, err := out.Write(b.out); err != nil && failed == nil {
				failed = fmt.Errorf("standard output: %w", err)
				close(stop)
			}
			free <- b
		}
		written <- failed
	}()
	readErr := func() error {
		for {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-stop:
				return io.EOF
			case b := <-free:
				err := lines.read(b)
				work <- b
				order <- b
				if err != nil {
					return err
				}
			}
		}
	}()
	close(work)
	close(order)
	workers.Wait()
	if err := <-written; err != nil {
		return err
	}
	return lines.failure(readErr)
}

// answer answers the lines of b.
func (b *block) answer(answer func([]byte, string) []byte) {
	b.out = b.out[:0]
	for line := range strings.Lines(string(b.text)) {
		b.out = append(answer(b.out, strings.TrimSuffix(line, "\n")), '\n')
	}
}

// lineReader reads blocks of whole lines.
type lineReader struct {
	in     io.Reader
	rest   []byte // the start of a line whose end has not been read
	number int    // of the line that rest starts
}

// read fills b with at least one line and returns nil, or with what is left and returns the error that ended the input.
func (r *lineReader) read(b *block) error {
	b.text = append(b.text[:0], r.rest...)
	r.rest = r.rest[:0]
	for searched := 0; ; {
		if cap(b.text)-len(b.text) < blockSize/2 {
			b.text = append(make([]byte, 0, 2*cap(b.text)+blockSize), b.text...)
		}
		n, err := r.in.Read(b.text[len(b.text):cap(b.text)])
		b.text = b.text[:len(b.text)+n]
		if err != nil {
			r.number += bytes.Count(b.text, []byte("\n"))
			return err
		}
		if end := searched + bytes.LastIndexByte(b.text[searched:], '\n') + 1; end > searched {
			r.rest = append(r.rest, b.text[end:]...)
			b.text = b.text[:end]
			r.number += bytes.Count(b.text, []byte("\n"))
			return nil
		}
		if searched = len(b.text); searched > maxLine {
			b.text = b.text[:0]
			return fmt.Errorf("it has more than %d bytes, want less; break it into sentences", maxLine)
		}
	}
}

// failure is the error of the command when reading ended with err.
func (r *lineReader) failure(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("standard input, line %d: %w", r.number, err)
}
