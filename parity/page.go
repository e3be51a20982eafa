package parity

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"count":   grouped[int],
	"bytes":   grouped[int64],
	"percent": percent,
	"shape":   func(dims []int) string { return strings.Trim(strings.ReplaceAll(fmt.Sprint(dims), " ", " × "), "[]") },
	"join":    func(list []string) string { return strings.Join(list, " ") },
}).Parse(pageText))

// WriteHTML writes the report as one page that needs nothing else: what was compared and where, the verdict, and for each
// model its tensors by engine, shaded by the share of what is admitted that they use.
func (r *Report) WriteHTML(w io.Writer) error {
	p := pageData{Report: r, Verdict: r.Verdict(), Right: r.OK(), Skipped: r.skipped()}
	for _, f := range r.Findings {
		p.Elements += f.Elements
		if !f.OK || f.Unproven {
			p.Wrong = append(p.Wrong, f)
		} else if f.Against != AgainstCheckpoint {
			p.Worst = max(p.Worst, f.Share)
		}
	}
	for _, m := range r.Models {
		p.Sections = append(p.Sections, r.section(m))
	}
	if err := page.Execute(w, p); err != nil {
		return fmt.Errorf("parity: page: %w", err)
	}
	return nil
}

// pageData is what page.html shows.
type pageData struct {
	*Report
	Verdict  string
	Right    bool
	Elements int     // that were compared
	Worst    float64 // share, of what is within
	Wrong    []Finding
	Skipped  []string
	Sections []section
}

// section is a model's part of the page.
type section struct {
	*Model
	Files   []fileRow
	Columns []column
	Rows    []heatRow
}

// fileRow is a file, and how its tensors compare with the checkpoint's.
type fileRow struct {
	Export
	Tensors, Elements int
	Wrong             int
}

// Other reports whether the name says less than the form.
func (f fileRow) Other() bool { return !strings.HasPrefix(f.Name, f.Form) }

// column is an engine on a file.
type column struct{ Export, Subject, Against string }

// heatRow is a tensor.
type heatRow struct {
	Tensor string
	Cells  []*heatCell // nil where it was not compared
}

// heatCell is a finding, and how it is shaded.
type heatCell struct {
	Finding
	Level int // 0 to 5: none, up to 0.1 %, 1 %, 10 %, 100 %, and more than that
}

func (r *Report) section(m *Model) section {
	s := section{Model: m}
	for _, e := range m.Exports {
		row := fileRow{Export: e}
		for _, f := range r.Findings {
			if f.Checkpoint == m.Checkpoint && f.Export == e.Name && f.Against == AgainstCheckpoint {
				row.Tensors++
				row.Elements += f.Elements
				if !f.OK {
					row.Wrong++
				}
			}
		}
		s.Files = append(s.Files, row)
	}
	at := map[string]int{} // of a tensor's row
	for _, f := range r.Findings {
		if f.Checkpoint != m.Checkpoint || f.Against == AgainstCheckpoint {
			continue
		}
		c := column{f.Export, f.Subject, f.Against}
		j := slices.Index(s.Columns, c)
		if j < 0 {
			j = len(s.Columns)
			s.Columns = append(s.Columns, c)
		}
		i, there := at[f.Tensor]
		if !there {
			i = len(s.Rows)
			at[f.Tensor] = i
			s.Rows = append(s.Rows, heatRow{Tensor: f.Tensor})
		}
		row := &s.Rows[i]
		row.Cells = append(row.Cells, make([]*heatCell, max(0, j+1-len(row.Cells)))...)
		row.Cells[j] = &heatCell{f, level(f)}
	}
	for i := range s.Rows {
		s.Rows[i].Cells = append(s.Rows[i].Cells, make([]*heatCell, len(s.Columns)-len(s.Rows[i].Cells))...)
	}
	return s
}

func level(f Finding) int {
	switch {
	case !f.OK || f.Unproven:
		return 5
	case f.Share == 0:
		return 0
	case f.Share <= 0.001:
		return 1
	case f.Share <= 0.01:
		return 2
	case f.Share <= 0.1:
		return 3
	}
	return 4
}

// Label is what stands in the cell.
func (c *heatCell) Label() string {
	switch {
	case c.Unproven:
		return "?"
	case c.Share >= infinite:
		return "✕"
	case c.OK:
		return percent(c.Share)
	}
	return "✕ " + percent(c.Share)
}

// Detail is what the cell says when asked.
func (c *heatCell) Detail() string {
	return fmt.Sprintf("%s elements, largest difference %s, %s of what is admitted. %s", grouped(c.Elements), c.difference(), c.used(), c.Worst)
}

// Used is the share, or that there is a mismatch.
func (f Finding) Used() string { return f.used() }

// percent writes a share in as many digits as are read.
func percent(share float64) string {
	switch p := 100 * share; {
	case share >= infinite:
		return "∞"
	case p == 0:
		return "0"
	case p < 0.1:
		return fmt.Sprintf("%.2g", p)
	case p < 10:
		return fmt.Sprintf("%.1f", p)
	default:
		return fmt.Sprintf("%.0f", p)
	}
}

// grouped writes a number with its thousands apart.
func grouped[T int | int64](n T) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "\u202f" + digits[i:]
	}
	return digits
}
