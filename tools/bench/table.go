package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// report is all that was measured.
type report struct {
	Processor string   `json:"processor"`
	Rows      []row    `json:"rows"`
	Skipped   []string `json:"skipped,omitempty"` // peers that are not installed, and what installs them
	Failed    []string `json:"failed,omitempty"`
}

// row is a figure of ours, and what was measured beside it.
type row struct {
	Name   string    `json:"name"`
	Unit   string    `json:"unit"`
	Rounds int       `json:"rounds"`
	Ours   []float64 `json:"ours"`             // one a round
	Beside string    `json:"beside,omitempty"` // what the peer is
	Peer   []float64 `json:"peer,omitempty"`
	Ratio  *spread   `json:"ratio,omitempty"` // of ours to the peer's, over the rounds
	Wanted string    `json:"wanted,omitempty"`
	Holds  *bool     `json:"holds,omitempty"`
}

var header = []string{"measured", "ours", "unit", "beside it", "is", "ratio", "min..max", "rounds", "wanted", ""}

// cells returns the columns of header.
func (r row) cells() []string {
	cells := []string{r.Name, number(median(r.Ours)), r.Unit, 7: fmt.Sprint(r.Rounds), 8: r.Wanted, 9: ""}
	if s := r.Ratio; s != nil {
		cells[3], cells[4] = r.Beside, number(median(r.Peer))
		cells[5] = fmt.Sprintf("%.2f", s.Median)
		cells[6] = fmt.Sprintf("%.2f..%.2f", s.Least, s.Most)
	}
	if r.Holds != nil {
		cells[9] = map[bool]string{true: "yes", false: "no"}[*r.Holds]
	}
	return cells
}

// number writes three digits, or all before the point.
func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// table returns the header and the rows.
func (r *report) table() [][]string {
	table := [][]string{header}
	for _, row := range r.Rows {
		table = append(table, row.cells())
	}
	return table
}

const explanation = "Ours and what is beside it are medians over the rounds; the ratio is the median of each round's."

// writeText writes the report with aligned columns.
func writeText(w io.Writer, r *report) {
	fmt.Fprintf(w, "%s\n%s\n\n", r.Processor, explanation)
	table := r.table()
	width := make([]int, len(header))
	for _, cells := range table {
		for i, cell := range cells {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	for _, cells := range table {
		var line strings.Builder
		for i, cell := range cells {
			fill := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if rightAligned(i) {
				cell, fill = fill+cell, ""
			}
			line.WriteString(cell + fill + "  ")
		}
		fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
	}
	writeAbsent(w, r)
}

// writeMarkdown writes the report as Markdown.
func writeMarkdown(w io.Writer, r *report) {
	fmt.Fprintf(w, "%s\n%s\n\n", r.Processor, explanation)
	for i, cells := range r.table() {
		fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
		if i > 0 {
			continue
		}
		for column := range cells {
			fmt.Fprint(w, map[bool]string{false: "|---", true: "|--:"}[rightAligned(column)])
		}
		fmt.Fprintln(w, "|")
	}
	writeAbsent(w, r)
}

// rightAligned are the columns of numbers.
func rightAligned(column int) bool { return column == 1 || 4 <= column && column <= 7 }

// writeAbsent writes what the table lacks.
func writeAbsent(w io.Writer, r *report) {
	for _, s := range r.Skipped {
		fmt.Fprintf(w, "\nskipped: %s\n", s)
	}
	for _, s := range r.Failed {
		fmt.Fprintf(w, "\nfailed: %s\n", s)
	}
}
