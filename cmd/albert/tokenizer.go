package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"goalbert/corpus"
	"goalbert/models"
	"goalbert/tokenizer"
)

func newTokenizer() *cobra.Command {
	return parent("tokenizer", "Vocabularies: train one, text to ids and back", newTokenizerTrain(), newTokenizerEncode(), newTokenizerDecode())
}

func newTokenizerTrain() *cobra.Command {
	c := &cobra.Command{
		Use:   "train CORPUS... --vocab-size N --out DIRECTORY",
		Short: "Train a vocabulary: SentencePiece unigram with ALBERT's special tokens, or WordPiece with BERT's",
		Args:  arguments(cobra.MinimumNArgs(1)),
	}
	asJSON := jsonFlag(c)
	o := tokenizer.DefaultTrainOptions(0)
	flags := c.Flags()
	out := flags.String("out", "", "the directory to be written, which must not exist")
	kind := flags.String("type", unigramType, "unigram or wordpiece")
	flags.IntVar(&o.VocabSize, "vocab-size", 30000, "pieces in all")
	flags.Float64Var(&o.CharacterCoverage, "character-coverage", o.CharacterCoverage, "share of the text whose characters are pieces")
	flags.StringSliceVar(&o.ControlSymbols, "control-symbols", nil, "pieces that no text has, after the special tokens")
	flags.StringSliceVar(&o.UserDefinedSymbols, "user-defined-symbols", o.UserDefinedSymbols, "always pieces of their own")
	flags.BoolVar(&o.Rules.LowerCase, "lower-case", o.Rules.LowerCase, "lower-case all text")
	flags.BoolVar(&o.Rules.KeepAccents, "keep-accents", o.Rules.KeepAccents, "keep accents")
	flags.IntVar(&o.SentenceLimit, "sentence-limit", o.SentenceLimit, "most sentences to train on, drawn at random; 0 is no limit")
	flags.Uint64Var(&o.Seed, "seed", 0, "of that draw")
	flags.IntVar(&o.Threads, "threads", 0, "0 is one a processor")
	wordPiece := wordPieceFlags(flags)
	text := corpus.DefaultTextOptions()
	textFlags(flags, &text)
	c.MarkFlagRequired("out")
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := trainFlagsFit(c, *kind); err != nil {
			return err
		}
		if _, err := os.Lstat(*out); err == nil {
			return fmt.Errorf("tokenizer train: %s exists already; remove it or choose another name", *out)
		}
		if err := cmp.Or(checkGiven(c, "out"), checkThreads(o.Threads), checkText(c, text, args)); err != nil {
			return err
		}
		all := sentences(corpus.ReadText(text, args...))
		if *kind == wordPieceType {
			return trainWordPiece(c, all, *out, *wordPiece, o, *asJSON)
		}
		began := time.Now()
		o.Progress = func(p tokenizer.TrainProgress) {
			note(c, "%8s  %s pieces, %.4f nats a character", rounded(time.Since(began)), counted(p.Pieces), p.NatsPerCharacter)
		}
		t, stats, err := tokenizer.Train(c.Context(), all, o)
		if err != nil {
			return err
		}
		if err := models.WriteDirectory(*out, func(dir string) error { return tokenizer.Save(t, dir) }); err != nil {
			return err
		}
		if stats.TooLong > 0 {
			note(c, "%s sentences of more than 4,192 bytes were left out", counted(stats.TooLong))
		}
		return show(c, *asJSON, stats, func(w io.Writer) {
			fmt.Fprintf(w, "%s: %s pieces from %s sentences in %s\n", filepath.Join(*out, tokenizer.ModelFile),
				counted(t.VocabSize()), counted(stats.Sentences), rounded(time.Since(began)))
		})
	}
	return c
}

// modelFlag adds --model, a directory with a vocabulary or one of its files.
func modelFlag(c *cobra.Command) *string {
	model := c.Flags().String("model", "", "a spiece.model, vocab.txt or tokenizer.json, or a directory with one")
	c.MarkFlagRequired("model")
	return model
}

// openTokenizer opens the tokenizer of a directory, or of one of its files. That of a checkpoint must be the model's.
func openTokenizer(path string) (tokenizer.Tokenizer, error) {
	if !isDirectory(path) {
		return tokenizer.OpenFile(path)
	}
	t, err := tokenizer.Open(path)
	if err != nil {
		return nil, err
	}
	rows, err := embeddingRows(path)
	if err != nil || rows == 0 {
		return t, err
	}
	if err := vocabularyFits(t, rows); err != nil {
		return nil, fmt.Errorf("open %s: %w; a file there is cut off, or belongs to another model", path, err)
	}
	return t, nil
}

// embeddingRows returns vocab_size of the config.json of a directory, of whatever model; 0 without one.
func embeddingRows(dir string) (int, error) {
	path := filepath.Join(dir, models.ConfigFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read configuration: %w", err)
	}
	var config struct {
		VocabSize int `json:"vocab_size"`
	}
	if err := json.Unmarshal(data, &config); err != nil {
		return 0, fmt.Errorf("read %s: not a configuration in JSON: %w", path, err)
	}
	return config.VocabSize, nil
}

// vocabularyFits refuses a tokenizer that has not as many pieces as the model has embeddings. There may be more of
// these up to a multiple of a power of two, to which models are padded for speed, as 30,528 for the 30,522 of BERT; and
// beside a tokenizer.json.
func vocabularyFits(t tokenizer.Tokenizer, rows int) error {
	pieces := t.VocabSize()
	if pieces > rows {
		return fmt.Errorf("the tokenizer has %d pieces, the model has room for %d (vocab_size)", pieces, rows)
	}
	if _, lenient := t.(*tokenizer.Pipeline); lenient || pieces == rows || isPadding(pieces, rows) {
		return nil
	}
	return fmt.Errorf("the tokenizer has %d pieces, the model %d (vocab_size), want as many, or the next multiple of "+
		"8, 16, 32, 64 or 128", pieces, rows)
}

func isPadding(pieces, rows int) bool {
	for multiple := 8; multiple <= 128; multiple *= 2 {
		if (pieces+multiple-1)/multiple*multiple == rows {
			return true
		}
	}
	return false
}

func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func newTokenizerDecode() *cobra.Command {
	c := &cobra.Command{
		Use:   "decode --model MODEL",
		Short: "Ids on standard input to text, one line each",
		Args:  arguments(cobra.NoArgs),
	}
	model := modelFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		t, err := openTokenizer(*model)
		if err != nil {
			return err
		}
		return eachLine(c, func(line string) (string, error) {
			var ids []int32
			for _, word := range strings.Fields(line) {
				id, err := strconv.ParseInt(word, 10, 32)
				if err != nil || id < 0 || int(id) >= t.VocabSize() {
					return "", fmt.Errorf("%q is not an id, want 0 to %d", word, t.VocabSize()-1)
				}
				ids = append(ids, int32(id))
			}
			return t.Decode(ids), nil
		})
	}
	return c
}

// maxLine is the longest line of standard input.
const maxLine = 1 << 26

// readLines calls use for each line of standard input. Its errors name the line.
func readLines(c *cobra.Command, use func(string) error) error {
	lines := bufio.NewScanner(c.InOrStdin())
	lines.Buffer(nil, maxLine)
	number := 0
	for lines.Scan() {
		if err := c.Context().Err(); err != nil {
			return err
		}
		number++
		if err := use(strings.TrimSuffix(lines.Text(), "\r")); err != nil {
			return fmt.Errorf("standard input, line %d: %w", number, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("standard input, line %d: %w", number+1, err)
	}
	return nil
}

// eachLine answers each line of standard input with a line.
func eachLine(c *cobra.Command, answer func(string) (string, error)) error {
	out := bufio.NewWriter(c.OutOrStdout())
	err := readLines(c, func(line string) error {
		text, err := answer(line)
		if err == nil {
			_, err = fmt.Fprintln(out, text)
		}
		return err
	})
	return cmp.Or(err, out.Flush())
}
