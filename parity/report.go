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
	SHA256     string       `json:"sha256,omitempty"` // of the file of weights, where there is one
	Batches    []BatchShape `json:"batches"`
	Exports    []Export     `json:"exports"`
}

// BatchShape is what a report says of a batch.
type BatchShape struct {
	Name   string `json:"name"`
	Shape  []int  `json:"shape"`
	Tokens int    `json:"tokens"` // that are attended
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
// is one with a file that no engine has run.
func (r *Report) OK() bool {
	return len(r.Findings) > 0 && r.mismatches() == 0 && len(r.Unproven()) == 0
}

func (r *Report) mismatches() int {
	n := 0
	for _, f := range r.Findings {
		if !f.OK {
			n++
		}
	}
	return n
}

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
// and so are those that are within half a step of the checkpoint's, and of one engine the intermediate values that are within
// the tolerance.
func (r *Report) lines(m *Model) []Finding {
	var lines []Finding
	type place struct {
		export, subject, against string
		exact                    bool
	}
	at := map[place]int{} // of the joined line
	count := map[place]int{}
	for _, f := range r.Findings {
		join := f.exact() || f.OK && (f.Against == AgainstCheckpoint || isIntermediate(f.Tensor))
		if f.Checkpoint != m.Checkpoint && f.Checkpoint != "" {
			continue
		}
		if !join {
			lines = append(lines, f)
			continue
		}
		p := place{f.Export, f.Subject, f.Against, f.exact()}
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
	for _, f := range r.Findings {
		if !f.OK {
			fmt.Fprintf(&b, "%s: %s: %s\n", strings.TrimSpace(f.Export+" "+f.Subject), f.Tensor, f.Worst)
		}
	}
	for _, why := range r.skipped() {
		fmt.Fprintf(&b, "not run: %s\n", why)
	}
	fmt.Fprintf(&b, "parity: %s\n", r.Verdict())
	return b.String()
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
	if n := r.mismatches(); n > 0 || len(r.Findings) == 0 {
		return fmt.Sprintf("NOT equal: %d of %d tensors", n, len(r.Findings))
	}
	if list := r.Unproven(); len(list) > 0 {
		return fmt.Sprintf("NOT proven: no engine has run %s", strings.Join(list, ", "))
	}
	return fmt.Sprintf("equal, within %s, over %d batches", r.admitted(), len(r.Batches))
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
