package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
)

// jsonFlag adds --json.
func jsonFlag(c *cobra.Command) *bool {
	return c.Flags().Bool("json", false, "print the result as JSON")
}

// show writes a result, as JSON or as write does.
func show(c *cobra.Command, asJSON bool, result any, write func(io.Writer)) error {
	if !asJSON {
		write(c.OutOrStdout())
		return nil
	}
	encoder := json.NewEncoder(c.OutOrStdout())
	encoder.SetIndent("", "  ")
	return encoder.Encode(result)
}

// showLine writes one of several results, as JSON in a line of its own or as write does.
func showLine(c *cobra.Command, asJSON bool, result any, write func(io.Writer)) error {
	if !asJSON {
		write(c.OutOrStdout())
		return nil
	}
	encoder := json.NewEncoder(c.OutOrStdout())
	encoder.SetEscapeHTML(false)
	return encoder.Encode(result)
}

// note tells what goes on, on standard error.
func note(c *cobra.Command, format string, a ...any) {
	fmt.Fprintf(c.ErrOrStderr(), format+"\n", a...)
}

// counted writes a number with its thousands apart: 1,234,567.
func counted[T int | int64](n T) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// rounded writes a duration to a tenth of a second, or to a second where it is long.
func rounded(d time.Duration) string {
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
