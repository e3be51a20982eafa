package main

import (
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"goalbert/corpus"
	"goalbert/tokenizer"
)

func newPrepare() *cobra.Command {
	c := &cobra.Command{
		Use:   "prepare INPUT... --tokenizer DIRECTORY --out SHARDS",
		Short: "Text of any size to Parquet shards of ids, to train on",
		Long: "Text of any size to Parquet shards of ids, to train on.\n\n" +
			"An input is a file or a directory of them: text, or JSON lines (.jsonl, .ndjson), plain or compressed\n" +
			"(.gz, .zst). If the work is interrupted, the same command goes on after the last whole shard.",
		Args: arguments(cobra.MinimumNArgs(1)),
	}
	asJSON := jsonFlag(c)
	o := corpus.DefaultPrepareOptions()
	flags := c.Flags()
	out := flags.String("out", "", "the directory of the shards")
	model := flags.String("tokenizer", "", "directory of the vocabulary")
	textFlags(flags, &o.TextOptions)
	flags.BoolVar(&o.Deduplicate, "deduplicate", false, "leave out documents whose text came before")
	flags.IntVar(&o.ShardTokens, "shard-tokens", o.ShardTokens, "a shard ends with the block, of 1,048,576 tokens or more, that brings it to so many")
	threads := flags.Int("threads", 0, "0 is one a processor; the result does not depend on it")
	c.MarkFlagRequired("out")
	c.MarkFlagRequired("tokenizer")
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := cmp.Or(checkGiven(c, "out", "tokenizer"), checkThreads(*threads), checkText(c, o.TextOptions, args)); err != nil {
			return err
		}
		o.Threads = threadCount(*threads)
		if err := o.Validate(); err != nil {
			return usageError{err}
		}
		t, err := openTokenizer(*model)
		if err != nil {
			return err
		}
		began := time.Now()
		o.Progress = tellCounts(c, began)
		m, err := corpus.Prepare(c.Context(), t, args, *out, o)
		if err != nil {
			return err
		}
		p := newPrepared(*out, m, time.Since(began))
		return show(c, *asJSON, p, p.write)
	}
	return c
}

// textFlags adds the flags that say what text looks like.
func textFlags(f *pflag.FlagSet, o *corpus.TextOptions) {
	f.StringVar((*string)(&o.Format), "format", string(o.Format), "of text: lines (a sentence a line, blank lines between documents) or prose (paragraphs, plain or markdown)")
	f.StringVar((*string)(&o.Documents), "documents", string(o.Documents), "what a document is in prose: file, heading or paragraph")
	f.StringVar(&o.TextField, "text-field", o.TextField, "the field of JSON lines that has the text")
}

// checkText refuses flags of textFlags that are wrong, or that say nothing about text of these paths.
func checkText(c *cobra.Command, o corpus.TextOptions, paths []string) error {
	if err := o.Validate(); err != nil {
		return usageError{err}
	}
	if c.Flags().Changed("documents") && o.Format != corpus.Prose {
		return usagef("--documents says what a document is in prose, and --format is %s; leave it out, or give --format %s",
			o.Format, corpus.Prose)
	}
	if !c.Flags().Changed("text-field") {
		return nil
	}
	files, err := corpus.Files(paths...)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(files, corpus.IsJSONLines) {
		return usagef("--text-field names a field of JSON lines, and no input is a .jsonl or .ndjson; leave it out")
	}
	return nil
}

// checkGiven refuses flags that are given without a value: --out=.
func checkGiven(c *cobra.Command, names ...string) error {
	for _, name := range names {
		if f := c.Flags().Lookup(name); f.Changed && f.Value.String() == "" {
			return usagef("--%s is empty; %s", name, f.Usage)
		}
	}
	return nil
}

// tellCounts returns a function that tells now and then how far a preparation is.
func tellCounts(c *cobra.Command, began time.Time) func(corpus.Counts) {
	told := began
	return func(counts corpus.Counts) {
		if time.Since(told) < tellEvery {
			return
		}
		told = time.Now()
		note(c, "%8s  %s documents, %s tokens", rounded(time.Since(began)), counted(counts.Documents), counted(counts.Tokens))
	}
}

// openCorpus reads text into memory as ids, or opens the one directory of shards among paths.
func openCorpus(c *cobra.Command, paths []string, o corpus.TextOptions, t tokenizer.Tokenizer, threads int) (corpus.Blocks, error) {
	for _, path := range paths {
		if !corpus.IsShards(path) {
			continue
		}
		if len(paths) > 1 {
			return nil, usagef("%s is a directory of shards and stands beside other inputs; give it alone, or prepare all text together", path)
		}
		for _, name := range []string{"format", "documents", "text-field"} {
			if c.Flags().Changed(name) {
				return nil, usagef("--%s says what text looks like, and %s is a directory of shards; give it to albert prepare", name, path)
			}
		}
		shards, err := corpus.OpenShards(path)
		if err != nil {
			return nil, err
		}
		return shards, shards.CheckTokenizer(t)
	}
	if err := checkText(c, o, paths); err != nil {
		return nil, err
	}
	tokens, err := corpus.Tokenize(c.Context(), corpus.ReadText(o, paths...), t, threads)
	if err != nil {
		return nil, err
	}
	return tokens.Blocks(corpus.BlockTokens), nil
}

// prepared is the result of albert prepare.
type prepared struct {
	Directory string `json:"directory"`
	Shards    int    `json:"shards"`
	Bytes     int64  `json:"bytes"`
	corpus.Counts
	UnknownShare float64 `json:"unknown_share"` // of the tokens
	Seconds      float64 `json:"seconds"`
}

func newPrepared(directory string, m *corpus.Manifest, took time.Duration) *prepared {
	p := &prepared{
		Directory: directory, Shards: len(m.Shards), Counts: m.Counts,
		UnknownShare: float64(m.Counts.UnknownTokens) / float64(m.Counts.Tokens), Seconds: took.Seconds(),
	}
	for _, s := range m.Shards {
		p.Bytes += s.Bytes
	}
	return p
}

func (p *prepared) write(w io.Writer) {
	fmt.Fprintf(w, "%s: %s documents, %s sentences, %s tokens in %d shards of %s bytes\n", filepath.Clean(p.Directory),
		counted(p.Documents), counted(p.Sentences), counted(p.Tokens), p.Shards, counted(p.Bytes))
	fmt.Fprintf(w, "unknown tokens: %s, %.4f %%\n", counted(p.UnknownTokens), 100*p.UnknownShare)
	if p.Repeated > 0 {
		fmt.Fprintf(w, "repeated documents left out: %s\n", counted(p.Repeated))
	}
	if p.CodeLines > 0 {
		fmt.Fprintf(w, "lines of fenced code left out: %s\n", counted(p.CodeLines))
	}
	if p.Cut > 0 {
		fmt.Fprintf(w, "documents cut because they were too long: %s\n", counted(p.Cut))
	}
	fmt.Fprintln(w, "tokens of a sentence:")
	for least, n := range p.SentenceLengths.Bins() {
		fmt.Fprintf(w, "  %6s to %6s  %s\n", counted(least), counted(2*least-1), counted(n))
	}
}
