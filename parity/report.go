package parity

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// Report is what a comparison found, and of what.
type Report struct {
	Program   string    `json:"program,omitempty"`
	Time      string    `json:"time,omitempty"` // when it was begun
	Machine   Machine   `json:"machine"`
	Reference string    `json:"reference"` // the engine that the others are compared with
	Models    []*Model  `json:"models"`
	Batches   []string  `json:"batches"` // of all models, each once
	Findings  []Finding `json:"findings"`
	NotRun    []NotRun  `json:"not_run"`
}

// Machine is where the engines ran.
type Machine struct {
	Platform  string   `json:"platform"`
	Processor string   `json:"processor"`
	Threads   int      `json:"threads"`
	Features  []string `json:"features"` // of the processor, that kernels may use
	Kernels   string   `json:"kernels"`  // of the native model
	Go        string   `json:"go"`
	Library   string   `json:"library"` // ONNX Runtime's
}

// Model is a checkpoint as a model of one task.
type Model struct {
	Checkpoint string       `json:"checkpoint"` // its name in the report
	Task       string       `json:"task"`
	Files      []FileSum    `json:"files,omitempty"` // of weights, where there are any, and their index
	Batches    []BatchShape `json:"batches"`
	Exports    []Export     `json:"exports"`
}

// BatchShape is what a report says of a batch.
type BatchShape struct {
	Name   string `json:"name"`
	Shape  []int  `json:"shape"`
	Tokens int    `json:"tokens"` // that are attended
}

// FileSum identifies a file.
type FileSum struct {
	Name   string `json:"name"` // without its directory
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// NotRun is an engine that was left out for a file, and why.
type NotRun struct {
	Checkpoint string `json:"checkpoint"`
	Export     string `json:"export"`
	Engine     string `json:"engine"`
	Why        string `json:"why"`
}

// NewReport returns an empty report on a checkpoint.
func NewReport(checkpoint, reference string, batches []Batch) *Report {
	r := &Report{Reference: reference}
	r.AddModel(&Model{Checkpoint: checkpoint}, batches)
	return r
}

// AddModel begins another model, to which what is added next belongs.
func (r *Report) AddModel(m *Model, batches []Batch) {
	for _, b := range batches {
		m.Batches = append(m.Batches, b.shape())
		if !slices.Contains(r.Batches, b.Name) {
			r.Batches = append(r.Batches, b.Name)
		}
	}
	r.Models = append(r.Models, m)
}

// AddExport begins another file of the last model, to which the findings that are added next belong.
func (r *Report) AddExport(e Export) {
	m := r.Models[len(r.Models)-1]
	m.Exports = append(m.Exports, e)
}

// Add adds findings on the last file, or, where there is none yet, on the model itself.
func (r *Report) Add(findings ...Finding) {
	m := r.Models[len(r.Models)-1]
	for _, f := range findings {
		f.Checkpoint = m.Checkpoint
		if n := len(m.Exports); n > 0 {
			f.Export = m.Exports[n-1].Name
		}
		r.Findings = append(r.Findings, f)
	}
}

// Skip adds that an engine was left out for the last file.
func (r *Report) Skip(engine, why string) {
	m := r.Models[len(r.Models)-1]
	r.NotRun = append(r.NotRun, NotRun{Checkpoint: m.Checkpoint, Export: m.Exports[len(m.Exports)-1].Name, Engine: engine, Why: why})
}

// OK reports whether everything that was compared is equal, within what is admitted. An empty report is not, and neither
// is one with an error, with a file that no engine has run, or with an output of which nothing is proven.
func (r *Report) OK() bool {
	return len(r.Findings) > 0 && len(r.Mismatches()) == 0 && len(r.Failures()) == 0 && len(r.Unproven()) == 0 && len(r.Undecided()) == 0
}

// Mismatches lists the findings of tensors that differ.
func (r *Report) Mismatches() []Finding {
	return r.findings(func(f Finding) bool { return !f.OK && !f.Failed })
}

// findings lists those of a kind.
func (r *Report) findings(of func(Finding) bool) []Finding {
	var list []Finding
	for _, f := range r.Findings {
		if of(f) {
			list = append(list, f)
		}
	}
	return list
}

// Failures lists the findings that are errors of a file or an engine.
func (r *Report) Failures() []Finding { return r.findings(func(f Finding) bool { return f.Failed }) }

// Unproven lists the files whose tensors are right and which no engine has run.
func (r *Report) Unproven() []string {
	var list []string
	for _, m := range r.Models {
		for _, e := range m.Exports {
			run := slices.ContainsFunc(r.Findings, func(f Finding) bool {
				return f.Checkpoint == m.Checkpoint && f.Export == e.Name && (f.Against != AgainstCheckpoint || !f.OK)
			})
			if !run {
				list = append(list, m.Checkpoint+": "+e.Name)
			}
		}
	}
	return list
}

// PredictionsOf begins the name of a finding that is of the examples of a task.
const PredictionsOf = "predictions of "

// Undecided lists the findings of outputs that are too much the same for the reference to show anything, of files of which
// nothing else in that engine does: neither another output nor predictions of examples.
func (r *Report) Undecided() []Finding {
	return r.findings(func(f Finding) bool { return f.Unproven && !r.isProven(f) })
}

// isProven reports whether something else shows of the same file in the same engine what f does not.
func (r *Report) isProven(f Finding) bool {
	return slices.ContainsFunc(r.Findings, func(by Finding) bool {
		return by.Checkpoint == f.Checkpoint && by.Export == f.Export && by.Subject == f.Subject && by.OK && !by.Unproven &&
			by.Agreement != nil && !isIntermediate(by.Tensor) && !strings.HasSuffix(by.Tensor, SaturatingName)
	})
}

// WriteText writes the report as a table for each model. Tensors that are equal to the bit are one line, and so are
// intermediate values, by the worst of them; whatever is not equal has a line of its own, with the place.
func (r *Report) WriteText(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, m := range r.Models {
		fmt.Fprintf(table, "%s\n", m.title())
		fmt.Fprintln(table, "  file\trun by\tcompared with\ttensor\telements\tlargest difference\ttolerance used\t")
		for _, l := range r.lines(m) {
			fmt.Fprintf(table, "  %s\t%s\t%s\t%s\t%d\t%s\t%s\t\n", l.Export, l.by(), l.Against, l.Tensor, l.Elements, l.difference(), l.used())
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(w, r.conclusion())
	return err
}

func (m *Model) title() string {
	if m.Task == "" {
		return m.Checkpoint
	}
	return fmt.Sprintf("%s, %s, %d batches", m.Checkpoint, m.Task, len(m.Batches))
}

// lines are the findings of a model as a person reads them: of one file the initializers that are equal to the bit are one,
// and so are those that are within half a step of the checkpoint's, or, where a file has many, those that differ, and of one
// engine the intermediate values that are within the tolerance.
func (r *Report) lines(m *Model) []Finding {
	var lines []Finding
	type place struct {
		export, subject, against string
		exact, wrong             bool
	}
	at := map[place]int{} // of the joined line
	count := map[place]int{}
	for _, f := range r.Findings {
		join := f.exact() || f.OK && (f.Against == AgainstCheckpoint || isIntermediate(f.Tensor)) || r.isOneOfMany(f)
		if f.Checkpoint != m.Checkpoint && f.Checkpoint != "" {
			continue
		}
		if !join {
			lines = append(lines, f)
			continue
		}
		p := place{f.Export, f.Subject, f.Against, f.exact(), !f.OK}
		count[p]++
		i, there := at[p]
		if !there {
			at[p] = len(lines)
			lines = append(lines, f)
			continue
		}
		worst, name := lines[i], f.Tensor
		if worst.Share > f.Share {
			name = worst.Tensor
		}
		worst.add(f)
		worst.Tensor = name
		lines[i] = worst
	}
	for p, i := range at {
		switch l := &lines[i]; {
		case count[p] == 1:
		case p.exact:
			l.Tensor = fmt.Sprintf("%d tensors", count[p])
		default:
			l.Tensor = fmt.Sprintf("%d tensors, worst %s", count[p], l.Tensor)
		}
	}
	return lines
}

// many is how many tensors of a file may differ and still be listed each.
const many = 8

// wrong counts the tensors of f's file that are not the checkpoint's, and all.
func (r *Report) wrong(f Finding) (wrong, all int) {
	for _, g := range r.Findings {
		if g.Checkpoint == f.Checkpoint && g.Export == f.Export && g.Against == AgainstCheckpoint && !g.Failed {
			all++
			if !g.OK {
				wrong++
			}
		}
	}
	return wrong, all
}

// isOneOfMany reports whether f is of a tensor that differs in a file of which many do.
func (r *Report) isOneOfMany(f Finding) bool {
	if f.OK || f.Failed || f.Against != AgainstCheckpoint {
		return false
	}
	n, _ := r.wrong(f)
	return n > many
}

// isIntermediate reports whether a tensor is none of a model's outputs.
func isIntermediate(name string) bool {
	return strings.HasPrefix(name, "layers.") || strings.HasPrefix(name, "embeddings.")
}

// by is the engine, if one ran.
func (f *Finding) by() string {
	if f.Against == AgainstCheckpoint {
		return "-"
	}
	return f.Subject
}

func (f *Finding) difference() string {
	if f.Share >= infinite && f.MaxAbs == 0 {
		return "-"
	}
	if f.MaxAbs == 0 {
		return "none"
	}
	return fmt.Sprintf("%.3g", f.MaxAbs)
}

func (f *Finding) used() string {
	used := fmt.Sprintf("%.3g %%", 100*f.Share)
	if f.Agreement != nil {
		used += fmt.Sprintf(" (agreement %.4f)", *f.Agreement)
	}
	switch {
	case f.Failed:
		return "FAILED"
	case f.Unproven:
		return "NOT PROVEN (" + used + ")"
	case f.OK:
		return used
	case f.Share >= infinite:
		return "MISMATCH"
	}
	return "MISMATCH, " + used
}

// conclusion is the last lines: where each mismatch is, what was not run, and the verdict.
func (r *Report) conclusion() string {
	var b strings.Builder
	told := map[string]bool{} // of which files it is said that many tensors differ
	for _, f := range r.Findings {
		switch {
		case f.OK && !f.Unproven:
		case r.isOneOfMany(f):
			if key := f.Checkpoint + "\x00" + f.Export; !told[key] {
				told[key] = true
				n, all := r.wrong(f)
				fmt.Fprintf(&b, "%s: %d of %d tensors are not the checkpoint's; the first is %s: %s", f.place(), n, all, f.Tensor, f.Worst)
				if 2*n > all {
					b.WriteString("; it seems to be a file of another checkpoint")
				}
				b.WriteString("\n")
			}
		default:
			fmt.Fprintf(&b, "%s: %s: %s\n", f.place(), f.Tensor, f.Worst)
		}
	}
	for _, why := range r.skipped() {
		fmt.Fprintf(&b, "not run: %s\n", why)
	}
	fmt.Fprintf(&b, "parity: %s\n", r.Verdict())
	return b.String()
}

// place names the file and the engine.
func (f *Finding) place() string {
	if f.Subject == f.Export {
		return f.Export
	}
	return strings.TrimSpace(f.Export + " " + f.Subject)
}

// skipped says for each engine and reason for how many files it was left out.
func (r *Report) skipped() []string {
	var keys []string
	files := map[string][]string{}
	for _, n := range r.NotRun {
		key := n.Engine + "\x00" + n.Why
		if files[key] == nil {
			keys = append(keys, key)
		}
		if !slices.Contains(files[key], n.Export) {
			files[key] = append(files[key], n.Export)
		}
	}
	for i, key := range keys {
		engine, why, _ := strings.Cut(key, "\x00")
		what := strings.Join(files[key], ", ")
		if n := len(files[key]); n > 3 {
			what = fmt.Sprintf("%d forms", n)
		}
		keys[i] = fmt.Sprintf("%s in %s: %s", what, engine, why)
	}
	return keys
}

// Verdict is the report in one sentence.
func (r *Report) Verdict() string {
	if n := len(r.Mismatches()); n > 0 || len(r.Findings) == 0 {
		return fmt.Sprintf("NOT equal: %d of %d tensors", n, len(r.Findings))
	}
	if list := r.Failures(); len(list) > 0 {
		return fmt.Sprintf("NOT proven: errors in %d places, the first: %s: %s", len(list), list[0].place(), list[0].Worst)
	}
	if list := r.Unproven(); len(list) > 0 {
		return fmt.Sprintf("NOT proven: no engine has run %s", strings.Join(list, ", "))
	}
	if list := r.Undecided(); len(list) > 0 {
		return fmt.Sprintf("NOT proven: %s: %s: %s", list[0].place(), list[0].Tensor, list[0].Worst)
	}
	verdict := fmt.Sprintf("equal, within %s, over %d batches", r.admitted(), len(r.Batches))
	if n := len(r.findings(func(f Finding) bool { return f.Unproven })); n > 0 {
		verdict += fmt.Sprintf("; nothing is proven of %d outputs, beside others that are", n)
	}
	return verdict
}

// admitted lists the tolerances of the files.
func (r *Report) admitted() string {
	var list []string
	for _, m := range r.Models {
		for _, e := range m.Exports {
			if a := e.Admits(); a != "" && !slices.Contains(list, a) {
				list = append(list, a)
			}
		}
	}
	if len(list) == 0 {
		return "what is admitted"
	}
	return strings.Join(list, "; ")
}
