package main

import (
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"goalbert/models"
	"goalbert/tokenizer"
)

// The values of --type.
const (
	unigramType   = "unigram"
	wordPieceType = "wordpiece"
)

// wordPieceFlags adds the flags that training WordPiece has alone.
func wordPieceFlags(flags *pflag.FlagSet) *tokenizer.WordPieceTrainOptions {
	o := tokenizer.DefaultWordPieceTrainOptions(0)
	flags.IntVar(&o.LimitAlphabet, "limit-alphabet", o.LimitAlphabet, "wordpiece: most characters that are pieces")
	flags.IntVar(&o.MinFrequency, "min-frequency", o.MinFrequency,
		"wordpiece: pieces that stand side by side less often are not merged")
	return &o
}

// trainFlagsFit refuses a flag that the other type of vocabulary has.
func trainFlagsFit(c *cobra.Command, kind string) error {
	others := map[string][]string{
		unigramType:   {"limit-alphabet", "min-frequency"},
		wordPieceType: {"character-coverage", "control-symbols", "user-defined-symbols", "sentence-limit", "seed"},
	}
	flags, ok := others[kind]
	if !ok {
		return usagef("--type is %q, want %s or %s", kind, unigramType, wordPieceType)
	}
	for _, flag := range flags {
		if c.Flags().Changed(flag) {
			return usagef("--%s is not for --type %s", flag, kind)
		}
	}
	return nil
}

// trainWordPiece trains a vocab.txt; shared are the flags that unigram training has too.
func trainWordPiece(
	c *cobra.Command, sentences iter.Seq2[string, error], out string, o tokenizer.WordPieceTrainOptions,
	shared tokenizer.TrainOptions, asJSON bool,
) error {
	began := time.Now()
	o.VocabSize, o.Threads, o.Rules.LowerCase = shared.VocabSize, shared.Threads, shared.Rules.LowerCase
	if shared.Rules.KeepAccents {
		o.Rules.StripAccents = new(bool)
	}
	o.Progress = func(pieces int) { note(c, "%8s  %s pieces", rounded(time.Since(began)), counted(pieces)) }
	t, stats, err := tokenizer.TrainWordPiece(c.Context(), sentences, o)
	if err != nil {
		return err
	}
	if err := models.WriteDirectory(out, func(dir string) error { return tokenizer.Save(t, dir) }); err != nil {
		return err
	}
	return show(c, asJSON, stats, func(w io.Writer) {
		fmt.Fprintf(w, "%s: %s pieces from %s sentences in %s\n", filepath.Join(out, tokenizer.VocabFile),
			counted(t.VocabSize()), counted(stats.Sentences), rounded(time.Since(began)))
	})
}
