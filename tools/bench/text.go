package main

import (
	"bufio"
	"context"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"goalbert/corpus"
	"goalbert/tokenizer"
)

// Jobs on text. Peers that are whole programs are timed whole, and so are not asked for more than they must do.
const (
	encodeKind     kind = "encode"     // MB/s of lines encoded without ALBERT's rules
	spmEncodeKind  kind = "spm_encode" // the same by spm_encode
	loadKind       kind = "load"       // seconds to read a spiece.model
	spmLoadKind    kind = "spm_load"   // seconds of spm_encode on an empty file
	vocabularyKind kind = "vocabulary" // seconds to train a vocabulary
	spmTrainKind   kind = "spm_train"  // the same by spm_train
	sizeOfPieces        = 30000        // of the vocabulary that is trained
	bytesOfText         = 20_000_000   // that are read of -text
)

// program is the peer's that a job runs, if it does.
func (k kind) program() string {
	switch k {
	case spmEncodeKind, spmLoadKind:
		return "spm_encode"
	case spmTrainKind:
		return "spm_train"
	}
	return ""
}

// texts compares the tokenizer and its training with SentencePiece's programs, on a text of one sentence a line.
func (b *bench) texts() []group {
	own := func(k kind, threads int) figure { return one(b.onText(job{Kind: k, Threads: threads})) }
	duration := func(f figure, unit float64) figure { f.inverse, f.scale = true, unit; return f }
	name := "encode, as spm_encode, "
	single, load := own(encodeKind, 1), duration(own(loadKind, 1), 1e3)
	return []group{
		{b.rounds, []comparison{
			{name + threads(1), "MB/s", single, own(spmEncodeKind, 1), bound{ratio: 2}},
			{name + threads(2), "MB/s", own(encodeKind, 2), single.labelled(threads(1)), bound{ratio: 1.85}},
		}},
		{b.rounds, []comparison{
			{"load a vocabulary", "ms", load, duration(own(spmLoadKind, 1), 1e3), bound{}},
			{"load a vocabulary", "ms", load, figure{of: load.of, scale: 30, constant: true, label: "30 ms"}, bound{1, true}},
		}},
		{b.few(), []comparison{
			{fmt.Sprintf("train a vocabulary of %d, %s", sizeOfPieces, threads(2)), "s",
				duration(own(vocabularyKind, 2), 1), duration(own(spmTrainKind, 2), 1), bound{1, true}},
		}},
	}
}

// onText is a process of this program for a job on the text and the vocabulary.
func (b *bench) onText(j job) *contender {
	return &contender{command: func() (command *exec.Cmd, err error) {
		if program := j.Kind.program(); program != "" {
			if _, err := exec.LookPath(program); err != nil {
				return nil, missing{"SentencePiece", "apt-get install sentencepiece", err}
			}
		}
		if j.Text, err = b.findText(); err != nil {
			return nil, err
		}
		if j.Model, err = b.findModel(); err != nil {
			return nil, err
		}
		return b.own(j).command()
	}}
}

// textFile writes the first bytes of -text, or the doc comments of the toolchain.
func (b *bench) textFile() (string, error) {
	path := filepath.Join(b.dir, "text.txt")
	out, err := os.Create(path)
	if err != nil {
		return "", err
	}
	defer out.Close()
	w := bufio.NewWriter(out)
	written := 0
	for line, err := range b.lines() {
		if err != nil {
			return "", err
		}
		if written += len(line) + 1; written > bytesOfText {
			break
		}
		w.WriteString(line)
		w.WriteByte('\n')
	}
	return path, w.Flush()
}

func (b *bench) lines() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		documents := corpus.Read(b.text)
		if b.text == "" {
			goroot, err := exec.CommandContext(b.ctx, "go", "env", "GOROOT").Output()
			if err != nil {
				yield("", fmt.Errorf("ask the go command for its GOROOT: %w", err))
				return
			}
			documents = corpus.Godoc(b.ctx, strings.TrimSpace(string(goroot)))
		}
		for document, err := range documents {
			if err != nil {
				yield("", err)
				return
			}
			for _, line := range document {
				if !yield(line, nil) {
					return
				}
			}
		}
	}
}

// modelFile returns -model, or a vocabulary that is trained on the text.
func (b *bench) modelFile() (string, error) {
	if b.model != "" {
		return filepath.Abs(b.model)
	}
	text, err := b.findText()
	if err != nil {
		return "", err
	}
	t, _, err := tokenizer.Train(b.ctx, fileLines(text), tokenizer.DefaultTrainOptions(8000))
	if err != nil {
		return "", err
	}
	return filepath.Join(b.dir, tokenizer.ModelFile), tokenizer.Save(t, b.dir)
}

// fileLines yields the lines of a file.
func fileLines(path string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		data, err := os.ReadFile(path)
		if err != nil {
			yield("", err)
			return
		}
		for line := range strings.Lines(string(data)) {
			if !yield(strings.TrimSuffix(line, "\n"), nil) {
				return
			}
		}
	}
}

// prepareText is prepare for the jobs on text.
func (j job) prepareText() (name string, measure func() (float64, error), err error) {
	data, err := os.ReadFile(j.Text)
	if err != nil {
		return "", nil, err
	}
	perSecond := func(run func() error) func() (float64, error) {
		return func() (float64, error) {
			start := time.Now()
			err := run()
			return 1 / time.Since(start).Seconds(), err
		}
	}
	megabytesPerSecond := func(run func() error) func() (float64, error) {
		rate := perSecond(run)
		return func() (float64, error) {
			times, err := rate()
			return times * float64(len(data)) / 1e6, err
		}
	}
	dir := filepath.Dir(j.Text)
	switch j.Kind {
	case encodeKind:
		u, err := tokenizer.ReadUnigram(j.Model)
		if err != nil {
			return "", nil, err
		}
		text := string(data)
		return "native", func() (float64, error) {
			best := time.Hour
			for begin := time.Now(); time.Since(begin) < 3*shortly; {
				start := time.Now()
				encodeLines(u, text, j.Threads)
				best = min(best, time.Since(start))
			}
			return float64(len(text)) / best.Seconds() / 1e6, nil
		}, nil
	case spmEncodeKind:
		return "spm_encode", megabytesPerSecond(func() error {
			return exec.Command("spm_encode", "--model="+j.Model, "--output_format=id", "--output="+os.DevNull, j.Text).Run()
		}), nil
	case loadKind:
		return "native", perSecond(func() error { _, err := tokenizer.ReadUnigram(j.Model); return err }), nil
	case spmLoadKind:
		empty := filepath.Join(dir, "empty")
		if err := os.WriteFile(empty, nil, 0o666); err != nil {
			return "", nil, err
		}
		return "spm_encode of nothing", perSecond(func() error {
			return exec.Command("spm_encode", "--model="+j.Model, "--output="+os.DevNull, empty).Run()
		}), nil
	case vocabularyKind:
		o := tokenizer.DefaultTrainOptions(sizeOfPieces)
		o.Threads = j.Threads
		return "native", perSecond(func() error {
			_, _, err := tokenizer.Train(context.Background(), fileLines(j.Text), o)
			return err
		}), nil
	}
	return "spm_train", perSecond(func() error { // with the flags of ALBERT's README
		return exec.Command("spm_train", "--input="+j.Text, "--model_prefix="+filepath.Join(dir, "theirs"),
			fmt.Sprint("--vocab_size=", sizeOfPieces), fmt.Sprint("--num_threads=", j.Threads),
			"--pad_id=0", "--unk_id=1", "--eos_id=-1", "--bos_id=-1", "--control_symbols=[CLS],[SEP],[MASK]",
			`--user_defined_symbols=(,),"""",-,.,–,£,€`, "--character_coverage=0.99995", "--model_type=unigram").Run()
	}), nil
}

// encodeLines encodes the lines of text, which the threads share.
func encodeLines(u *tokenizer.Unigram, text string, threads int) {
	each(threads, len(text), 1<<18, func(lo, hi int) {
		var ids []int32
		for line := range strings.Lines(linesFrom(text, lo, hi)) {
			ids = u.AppendEncode(ids[:0], strings.TrimSuffix(line, "\n"))
		}
	})
}

// linesFrom returns the lines of text that begin at lo or later, and before hi.
func linesFrom(text string, lo, hi int) string {
	begin := func(at int) int {
		if at == 0 || at == len(text) {
			return at
		}
		end := strings.IndexByte(text[at-1:], '\n')
		if end < 0 {
			return len(text)
		}
		return at + end
	}
	return text[begin(lo):begin(hi)]
}
