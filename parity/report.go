package parity

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"goalbert/internal/numeric"
)

// Report is what a comparison found.
type Report struct {
	Checkpoint string            `json:"checkpoint"`
	Reference  string            `json:"reference"` // the engine that the others are compared with
	Tolerance  numeric.Tolerance `json:"tolerance"` // of outputs, the widest of the files; initializers must be equal
	Batches    []string          `json:"batches"`
	Findings   []Finding         `json:"findings"`
}

// NewReport returns an empty report.
func NewReport(checkpoint, reference string, batches []Batch) *Report {
	r := &Report{Checkpoint: checkpoint, Reference: reference, Tolerance: numeric.Engine}
	for _, b := range batches {
		r.Batches = append(r.Batches, b.Name)
	}
	return r
}

// Widen makes the report say that outputs were compared within t, where that is wider than what it says.
func (r *Report) Widen(t numeric.Tolerance) {
	if t.Absolute > r.Tolerance.Absolute {
		r.Tolerance = t
	}
}

// OK reports whether everything that was compared is equal, within the tolerances. An empty report is not.
func (r *Report) OK() bool {
	for _, f := range r.Findings {
		if !f.OK {
			return false
		}
	}
	return len(r.Findings) > 0
}

// WriteText writes the report as a table. Initializers that are equal are one line for each file; whatever is not equal
// has a line of its own, with the place.
func (r *Report) WriteText(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "compared with "+r.Reference+"\ttensor\telements\tlargest difference\ttolerance used\t")
	equal, elements := 0, 0
	for i, f := range r.Findings {
		exact := f.OK && f.MaxAbs == 0 && f.Share == 0
		if exact {
			equal++
			elements += f.Elements
		} else {
			fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%s\t\n", f.Subject, f.Tensor, f.Elements, f.difference(), f.used())
		}
		if last := i == len(r.Findings)-1 || r.Findings[i+1].Subject != f.Subject; last && equal > 0 {
			fmt.Fprintf(table, "%s\t%d tensors\t%d\tnone\t0 %%\t\n", f.Subject, equal, elements)
		}
		if i < len(r.Findings)-1 && r.Findings[i+1].Subject != f.Subject {
			equal, elements = 0, 0
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(w, r.conclusion())
	return err
}

func (f *Finding) difference() string {
	if f.Share >= infinite && f.MaxAbs == 0 {
		return "-"
	}
	return fmt.Sprintf("%.3g", f.MaxAbs)
}

func (f *Finding) used() string {
	switch {
	case f.OK:
		return fmt.Sprintf("%.3g %%", 100*f.Share)
	case f.Share >= infinite:
		return "MISMATCH"
	}
	return fmt.Sprintf("MISMATCH, %.3g %%", 100*f.Share)
}

// conclusion is the last line, and where each mismatch is.
func (r *Report) conclusion() string {
	var b strings.Builder
	bad := 0
	for _, f := range r.Findings {
		if !f.OK {
			bad++
			fmt.Fprintf(&b, "%s: %s: %s\n", f.Subject, f.Tensor, f.Worst)
		}
	}
	if r.OK() {
		fmt.Fprintf(&b, "parity: equal, within %g + %g of the value, over %d batches\n", r.Tolerance.Absolute, r.Tolerance.Relative, len(r.Batches))
	} else {
		fmt.Fprintf(&b, "parity: NOT equal: %d of %d tensors\n", bad, len(r.Findings))
	}
	return b.String()
}
