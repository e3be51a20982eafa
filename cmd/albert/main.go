package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// version is what exported files name as their producer's.
const version = "0.1.0"

// Exit codes.
const (
	exitError       = 1
	exitUsage       = 2
	exitInterrupted = 130
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the program. The first interruption ends what is under way in good order; the second ends the process.
func run(arguments []string, stdin io.Reader, stdout, stderr io.Writer) (code int) {
	defer func() {
		if r := recover(); r != nil {
			fmt.Fprintf(stderr, "albert: internal error: %s; please report it with the command that you gave\n", oneLine(fmt.Sprint(r)))
			code = exitError
		}
	}()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)

	root := newRoot()
	root.SetArgs(arguments)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintf(stderr, "albert: %s\n", oneLine(err.Error()))
	var usage usageError
	switch {
	case errors.As(err, &usage) || isCobraUsage(err):
		fmt.Fprintf(stderr, "usage: %s\n", command.UseLine())
		return exitUsage
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	}
	return exitError
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "albert",
		Short:         "Train ALBERT natively, export it to ONNX, prove that both compute the same",
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(newDoctor(), newRuntime(), newCorpus(), newTokenizer(), newPrepare(), newPretrain(), newFinetune())
	for _, c := range []*cobra.Command{
		newExport(), newEval(), newPredict(), newEmbed(), newSimilar(), newFillMask(), newParity(), newBench(), newInspect(),
	} {
		c.Long = cmp.Or(c.Long, c.Short+".") + "\n\n" + namesOfModels
		root.AddCommand(c)
	}
	return root
}

// namesOfModels is in the help of every verb that takes a model.
const namesOfModels = "Where a checkpoint is taken it is a directory with a config.json; a run, which stands for its RUN/model or else its newest\n" +
	"checkpoint; or owner/name or owner/name@revision of the Hugging Face Hub, which is fetched once. Tensors that its\n" +
	"architecture has not are left out and named. Where a MODEL is taken it is one of these or an .onnx file."

// usageError is a mistake in how the program was called.
type usageError struct{ error }

func usagef(format string, a ...any) error { return usageError{fmt.Errorf(format, a...)} }

// arguments wraps cobra's check of the number of arguments.
func arguments(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return usageError{err}
		}
		return nil
	}
}

// isCobraUsage recognizes the errors that cobra makes itself.
func isCobraUsage(err error) bool {
	text := err.Error()
	return strings.HasPrefix(text, "unknown command") || strings.HasPrefix(text, "required flag") ||
		strings.HasPrefix(text, "if any flags in the group")
}

// parent returns a command that only has commands below it.
func parent(use, short string, children ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Args: arguments(cobra.NoArgs), RunE: func(c *cobra.Command, _ []string) error {
		return usagef("%s needs one of its commands", c.CommandPath())
	}}
	c.AddCommand(children...)
	return c
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
