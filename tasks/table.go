package tasks

import (
	"bufio"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Format is how a file of examples is written.
type Format string

const (
	TSV       Format = "tsv"        // columns between tabs, quotation marks mean nothing
	QuotedTSV Format = "tsv-quoted" // columns between tabs, quoted as in CSV
	CSV       Format = "csv"        // RFC 4180
	JSONL     Format = "jsonl"      // a JSON object a line
	CoNLL     Format = "conll"      // of tokens: a word and its tag a line, an empty line after a sentence
)

// formatOf returns the format of a file by the end of its name.
func formatOf(path string) Format {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".csv":
		return CSV
	case ".json", ".jsonl", ".ndjson":
		return JSONL
	}
	return TSV
}

// column is one that a task needs.
type column struct {
	role     string   // what it has, in words
	name     string   // or its number; empty is one of the usual ones
	usual    []string // names that are looked for
	optional bool
}

func (c column) number() (int, bool) {
	n, err := strconv.Atoi(c.name)
	return n - 1, err == nil && n > 0
}

// table is a way to read a file of examples as rows.
type table struct {
	format  Format
	header  bool
	plain   bool // one text a line: the file has one column, and no header
	short   bool // some lines of the file as it was published have too few columns
	guess   bool // of a file that does not fit it the next table tells what is wrong
	columns []column
}

// row is the cells of one example, nil for an optional column that is not there.
type row struct {
	place string
	cells []any // text, or any other value of JSON
}

// text returns a cell of one text or number.
func (r *row) text(i int, role string) (string, error) {
	switch v := r.cells[i].(type) {
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	case bool:
		return strconv.FormatBool(v), nil
	}
	return "", bad(r.place, "the %s is %s, want text", role, jsonText(r.cells[i]))
}

func jsonText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return shortened(string(text), 60)
}

// shortened returns the first n characters of a text.
func shortened(text string, n int) string {
	if r := []rune(text); len(r) > n {
		return string(r[:n]) + "…"
	}
	return text
}

// rows yields the rows of a file by the first of the tables that fits its first line. Empty lines are skipped.
func rows(path string, tables ...table) iter.Seq2[*row, error] {
	return func(yield func(*row, error) bool) {
		file, err := os.Open(path)
		if err != nil {
			yield(nil, fmt.Errorf("tasks: read examples: %w", err))
			return
		}
		defer file.Close()
		reader := bufio.NewReaderSize(file, 1<<16)
		skipByteOrderMark(reader)
		if cmp.Or(tables[0].format, formatOf(path)) == JSONL {
			objects(path, reader, tables, yield)
			return
		}
		delimited(path, reader, tables, yield)
	}
}

func skipByteOrderMark(reader *bufio.Reader) {
	if mark, _ := reader.Peek(3); string(mark) == "\ufeff" {
		reader.Discard(3)
	}
}

// delimited yields the rows of a table with columns.
func delimited(path string, reader *bufio.Reader, tables []table, yield func(*row, error) bool) {
	next := records(reader, cmp.Or(tables[0].format, formatOf(path)))
	var columns located
	for first := true; ; first = false {
		record, line, err := next()
		place := fmt.Sprintf("%s:%d", path, line)
		switch {
		case err == io.EOF:
			return
		case isIOError(err):
			yield(nil, fmt.Errorf("tasks: read %s: %w", path, err))
			return
		}
		if first {
			if err == nil {
				columns, err = locate(record, tables)
			}
			if err != nil {
				yield(nil, fmt.Errorf("tasks: %s: %w", place, err))
				return
			}
			if columns.header {
				continue
			}
		}
		var r *row
		if syntax := (*csv.ParseError)(nil); errors.As(err, &syntax) {
			err = bad(place, "column %d: %v", syntax.Column, syntax.Err)
		} else if err != nil {
			err = bad(place, "%v", err)
		} else {
			r, err = columns.cut(place, record)
		}
		if !yield(r, err) {
			return
		}
	}
}

func isIOError(err error) bool {
	var syntax *csv.ParseError
	return err != nil && !errors.As(err, &syntax) && !errors.Is(err, errNotUTF8)
}

var errNotUTF8 = errors.New("the line is not UTF-8; convert the file")

// records returns a function that reads the next record that is not empty, and its line.
func records(reader *bufio.Reader, format Format) func() ([]string, int, error) {
	if format == TSV {
		line := 0
		return func() ([]string, int, error) {
			text, err := nextLine(reader, &line)
			return strings.Split(text, "\t"), line, err
		}
	}
	c := csv.NewReader(reader)
	c.FieldsPerRecord = -1
	if format == QuotedTSV {
		c.Comma = '\t'
	}
	return func() ([]string, int, error) {
		record, err := c.Read()
		if syntax := (*csv.ParseError)(nil); errors.As(err, &syntax) {
			return nil, syntax.StartLine, err
		} else if err != nil {
			return nil, 0, err
		}
		line, _ := c.FieldPos(0)
		for _, cell := range record {
			if !utf8.ValidString(cell) {
				return nil, line, errNotUTF8
			}
		}
		return record, line, nil
	}
}

// nextLine returns the next line that is not empty, without its end, and counts lines.
func nextLine(reader *bufio.Reader, line *int) (string, error) {
	for {
		text, err := reader.ReadString('\n')
		if err != nil && (err != io.EOF || text == "") {
			return "", err
		}
		*line++
		if text = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r"); text == "" {
			continue
		}
		if !utf8.ValidString(text) {
			return "", errNotUTF8
		}
		return text, nil
	}
}

// located is where the columns of a table are in a file.
type located struct {
	places []int // in a record, −1 for one that is not there
	header bool  // the first record is one
	width  int   // columns that each record has; 0 is any number
	short  bool  // as of the table
}

// locate returns where the columns are, by the first of the tables that fits the first record of a file.
func locate(record []string, tables []table) (located, error) {
	var err error
	for _, t := range tables {
		l, problem := t.locate(record)
		if problem == nil {
			return l, nil
		}
		if !t.guess {
			err = cmp.Or(err, problem)
		}
	}
	return located{}, err
}

func (t table) locate(record []string) (l located, err error) {
	l.short = t.short
	numbered := false
	for _, c := range t.columns {
		_, isNumber := c.number()
		numbered = numbered || isNumber
		l.header = l.header || c.name != "" && !isNumber
	}
	if l.header = l.header || t.header || !numbered; l.header || t.plain {
		l.width = len(record)
	}
	if t.plain && l.width != 1 {
		return located{}, fmt.Errorf("%d columns, want one text a line", l.width)
	}
	for _, c := range t.columns {
		place, isNumber := c.number()
		if !isNumber {
			if place, err = c.find(record); err != nil && numbered {
				err = fmt.Errorf("no column of the %s is given; give its number", c.role)
			}
		} else if place >= len(record) {
			err = fmt.Errorf("%d columns, want the %s in column %s", len(record), c.role, c.name)
		}
		if err != nil && !(c.optional && c.name == "") {
			return located{}, err
		} else if err != nil {
			place, err = -1, nil
		}
		l.places = append(l.places, place)
	}
	return l, nil
}

// find returns the index of a named column.
func (c column) find(names []string) (int, error) {
	wanted := c.usual
	if c.name != "" {
		wanted = []string{c.name}
	}
	for _, want := range wanted {
		for i, name := range names {
			if name == want {
				return i, nil
			}
		}
	}
	if c.name != "" {
		return 0, fmt.Errorf("the first line names no column %q of the %s, but %s", c.name, c.role, listed(names))
	}
	return 0, fmt.Errorf("the first line names no column of the %s (%s), but %s; say which it is, by name, or by number "+
		"where the first line is an example", c.role, strings.Join(wanted, ", "), listed(names))
}

// listed quotes the first of some names.
func listed(names []string) string {
	var quoted []string
	for i, name := range names {
		if i == 8 {
			return strings.Join(quoted, ", ") + fmt.Sprintf(" and %d more", len(names)-i)
		}
		quoted = append(quoted, strconv.Quote(shortened(name, 40)))
	}
	return strings.Join(quoted, ", ")
}

// cut returns the row of a record. A file with a header has as many columns in each line.
func (l located) cut(place string, record []string) (*row, error) {
	if l.short && len(record) <= slices.Max(l.places) {
		return nil, &BadExample{place, fmt.Sprintf("%d columns, want %d", len(record), l.width), true}
	}
	if l.width > 0 && len(record) != l.width && !(l.short && len(record) < l.width) {
		as := "header"
		if !l.header {
			as = "first line"
		}
		return nil, bad(place, "%d columns, want %d as in the %s", len(record), l.width, as)
	}
	r := &row{place: place}
	for _, p := range l.places {
		switch {
		case p >= len(record):
			return nil, bad(place, "%d columns, want at least %d", len(record), p+1)
		case p < 0:
			r.cells = append(r.cells, nil)
		default:
			r.cells = append(r.cells, record[p])
		}
	}
	return r, nil
}

// objects yields the rows of JSON lines.
func objects(path string, reader *bufio.Reader, tables []table, yield func(*row, error) bool) {
	for line := 0; ; {
		text, err := nextLine(reader, &line)
		place := fmt.Sprintf("%s:%d", path, line)
		if err == io.EOF {
			return
		} else if isIOError(err) {
			yield(nil, fmt.Errorf("tasks: read %s: %w", path, err))
			return
		}
		var r *row
		if err != nil {
			err = bad(place, "%v", err)
		} else {
			r, err = parseObject(place, text, tables)
		}
		if !yield(r, err) {
			return
		}
	}
}

func parseObject(place, text string, tables []table) (*row, error) {
	var object map[string]any
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&object); err != nil {
		return nil, bad(place, "not a JSON object: %s", jsonProblem(err))
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, bad(place, "more than one JSON object in a line")
	}
	var first error
	for _, t := range tables {
		if t.plain {
			continue
		}
		r, err := t.row(place, object)
		if err == nil {
			return r, nil
		}
		if !t.guess {
			first = cmp.Or(first, err)
		}
	}
	return nil, first
}

func (t table) row(place string, object map[string]any) (*row, error) {
	r := &row{place: place}
	for _, c := range t.columns {
		wanted := c.usual
		if c.name != "" {
			wanted = []string{c.name}
		}
		var cell any
		for _, name := range wanted {
			if cell = object[name]; cell != nil {
				break
			}
		}
		if cell == nil && !(c.optional && c.name == "") {
			return nil, bad(place, "the object has no key of the %s (%s)", c.role, strings.Join(wanted, ", "))
		}
		r.cells = append(r.cells, cell)
	}
	return r, nil
}
