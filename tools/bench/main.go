package main

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
)

func main() {
	var o options
	child := flag.String("child", "", "a job as JSON: be the process that is measured")
	only := flag.String("only", "", "regular expression for the names of the rows to measure")
	quick := flag.Bool("quick", false, "two rounds")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds of each comparison; steps of albert-base have at most 3")
	flag.BoolVar(&o.sweep, "sweep", false, "also by sequence length, by layers and by width")
	flag.StringVar(&o.lengths, "lengths", "", "file of sequence lengths, one a line; without it they are drawn")
	flag.StringVar(&o.text, "text", "", "text of a sentence a line, for the tokenizer; without it the toolchain's doc comments")
	flag.StringVar(&o.model, "model", "", "spiece.model to encode with; without it one is trained on the text")
	flag.StringVar(&o.python, "python", cmp.Or(os.Getenv("PYTHON"), "python3"), "Python that has PyTorch")
	markdown := flag.Bool("markdown", false, "print the table as Markdown")
	file := flag.String("json", "", "file for all figures of all rounds")
	flag.Parse()
	if *quick {
		o.rounds = 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := func() (err error) {
		if *child != "" {
			return runChild(*child, os.Stdin, os.Stdout)
		}
		if flag.NArg() > 0 || o.rounds < 1 {
			return fmt.Errorf("want no arguments and at least one round")
		}
		if o.only, err = regexp.Compile(*only); err != nil {
			return err
		}
		report, err := measureAll(ctx, o)
		if err != nil {
			return err
		}
		if *file != "" {
			if err := writeJSON(*file, report); err != nil {
				return err
			}
		}
		return printReport(os.Stdout, report, *markdown)
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options say what is measured.
type options struct {
	only    *regexp.Regexp
	rounds  int
	sweep   bool
	lengths string
	text    string
	model   string
	python  string
}

func writeJSON(path string, report *report) error {
	text, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o666)
}

// printReport prints the table, and an error where something that is there could not be measured.
func printReport(w io.Writer, report *report, markdown bool) error {
	write := writeText
	if markdown {
		write = writeMarkdown
	}
	write(w, report)
	if n := len(report.Failed); n > 0 {
		return fmt.Errorf("%d of the processes failed, see above", n)
	}
	return nil
}
