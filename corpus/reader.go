package corpus

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"unicode/utf8"
)

// A Document is its sentences, in order.
type Document []string

// Format says what text looks like, in files and in the text fields of JSON lines.
type Format string

const (
	Lines Format = "lines" // a sentence a line, in files a blank line between documents
	Prose Format = "prose" // paragraphs, plain or markdown, with blank lines between them
)

// Division says what a document is in a file of prose. In JSON lines every record is one, or several.
type Division string

const (
	ByFile      Division = "file"
	ByHeading   Division = "heading"   // a markdown heading after text begins one
	ByParagraph Division = "paragraph" // every paragraph is one, with the headings before it
)

// TextOptions say how files are read.
type TextOptions struct {
	Format    Format   `json:"format"`
	Documents Division `json:"documents"`
	TextField string   `json:"text-field"` // the field of JSON lines that has the text
}

// DefaultTextOptions are a sentence a line; a file of prose is a document.
func DefaultTextOptions() TextOptions {
	return TextOptions{Format: Lines, Documents: ByFile, TextField: "text"}
}

// Validate reports what is wrong with the options.
func (o TextOptions) Validate() error {
	switch {
	case o.Format != Lines && o.Format != Prose:
		return fmt.Errorf("corpus: format is %q, want %s or %s", o.Format, Lines, Prose)
	case o.Documents != ByFile && o.Documents != ByHeading && o.Documents != ByParagraph:
		return fmt.Errorf("corpus: documents is %q, want %s, %s or %s", o.Documents, ByFile, ByHeading, ByParagraph)
	case o.TextField == "":
		return fmt.Errorf("corpus: text-field is empty, want the name of the field that has the text")
	}
	return nil
}

// Read reads files, and the text files below directories: one sentence a line, a blank line or the end of a file ends a
// document. White space around a sentence and a byte order mark are dropped. After an error nothing follows. The errors
// name file, line and byte.
func Read(paths ...string) iter.Seq2[Document, error] {
	return ReadText(DefaultTextOptions(), paths...)
}

// ReadText is Read of text of any form. Files whose names end in .gz or .zst are decompressed; those ending in .jsonl or
// .ndjson, before that, are JSON lines. A document ends at the latest when it has maxDocument bytes.
func ReadText(o TextOptions, paths ...string) iter.Seq2[Document, error] {
	return func(yield func(Document, error) bool) {
		files, err := Files(paths...)
		if err != nil {
			yield(nil, err)
			return
		}
		for t, err := range texts(files, o, position{}) {
			if err != nil {
				yield(nil, err)
				return
			}
			if d := t.document(); len(d) > 0 && !yield(d, nil) {
				return
			}
		}
	}
}

// position is a place in the documents of several files: all before it have been read.
type position struct {
	File      int `json:"file"`
	Documents int `json:"documents"` // of that file
}

// maxDocument is the size in bytes at which a document ends, so that memory is bounded whatever the files.
const maxDocument = 8 << 20

// text is a document as it stands in a file.
type text struct {
	file  int // its number
	parts []string
	prose bool // the parts are paragraphs, otherwise sentences
	cut   bool // it goes on in the next document
	code  int  // lines of code that were left out since the document before
	after position
}

// document cuts paragraphs into sentences.
func (t *text) document() Document {
	if !t.prose {
		return t.parts
	}
	var d Document
	for _, paragraph := range t.parts {
		d = append(d, Sentences(paragraph)...)
	}
	return d
}

// texts yields the documents of files from a position on, and one without parts for code after the last. After an error
// nothing follows.
func texts(files []string, o TextOptions, from position) iter.Seq2[text, error] {
	return func(yield func(text, error) bool) {
		if err := o.Validate(); err != nil {
			yield(text{}, err)
			return
		}
		a := &assembler{options: o}
		for i := from.File; i < len(files); i++ {
			skip := 0
			if i == from.File {
				skip = from.Documents
			}
			read := 0
			emit := func(parts []string, cut bool, code int) bool {
				if read++; read <= skip {
					return true
				}
				return yield(text{i, parts, o.Format == Prose, cut, code, position{i, read}}, nil)
			}
			a = &assembler{options: o, emit: emit, codeLines: a.codeLines}
			if err := a.readFile(files[i]); err != nil {
				yield(text{}, err)
				return
			}
			if a.stopped {
				return
			}
		}
		if a.codeLines > 0 { // after the last document
			yield(text{file: len(files) - 1, code: a.codeLines, after: position{File: len(files)}}, nil)
		}
	}
}

// assembler makes documents of lines.
type assembler struct {
	options   TextOptions
	emit      func(parts []string, cut bool, codeLines int) bool
	stopped   bool // by emit
	parts     []string
	size      int // of parts and paragraph
	paragraph []string
	body      bool // the document has more than headings

	fence      fence // that is open, if its length is not 0
	fenced     []string
	fencedSize int
	unfenced   string // marks that open no fence
	codeLines  int    // left out since the last document
}

func (a *assembler) readFile(path string) error {
	lines, err := openLines(path)
	if err != nil {
		return err
	}
	defer lines.close()
	records := IsJSONLines(path)
	if isPlainText(path) {
		a.unfenced = "~" // a line of them is a scene break
	}
	for !a.stopped {
		line, err := lines.next()
		if err == io.EOF {
			a.unfence()
			a.endDocument(false)
			return nil
		}
		if err != nil {
			return err
		}
		if records {
			err = a.addRecord(line)
			if err != nil {
				return fmt.Errorf("corpus: read %s: line %d: %w", path, lines.number, err)
			}
			continue
		}
		a.addLine(line)
		if line == "" && a.options.Format == Lines {
			a.endDocument(false)
		}
	}
	return nil
}

// addRecord adds the text of a record of JSON lines, which ends a document.
func (a *assembler) addRecord(line string) error {
	if line == "" {
		return nil
	}
	var record map[string]json.RawMessage
	if err := json.Unmarshal([]byte(line), &record); err != nil {
		if _, another := errors.AsType[*json.UnmarshalTypeError](err); another {
			return fmt.Errorf("want a JSON object, got %.40q", line)
		}
		return fmt.Errorf("want a JSON object, got %.40q: %w", line, err)
	}
	field, ok := record[a.options.TextField]
	if !ok {
		return fmt.Errorf("the record has no field %q; name the field that has the text with --text-field", a.options.TextField)
	}
	var text *string
	if err := json.Unmarshal(field, &text); err != nil || text == nil {
		return fmt.Errorf("field %q is %.40s, want a string", a.options.TextField, field)
	}
	for line := range strings.SplitSeq(*text, "\n") {
		if a.stopped {
			return nil
		}
		a.addLine(strings.TrimSpace(line))
	}
	a.unfence()
	a.endDocument(false)
	a.unfenced = ""
	return nil
}

// addLine adds a line to the document. Blank lines do not end it.
func (a *assembler) addLine(line string) {
	switch {
	case a.options.Format == Prose:
		a.addProse(line)
	case line != "":
		a.parts = append(a.parts, line)
		a.size += len(line)
	}
	if a.size >= maxDocument {
		a.endDocument(true)
	}
}

// endDocument hands on the document that was read, if there is one.
func (a *assembler) endDocument(cut bool) {
	a.endParagraph()
	if len(a.parts) > 0 && !a.stopped {
		a.stopped = !a.emit(a.parts, cut, a.codeLines)
		a.codeLines = 0
	}
	a.parts, a.size, a.body = nil, 0, false
}

// invalidUTF8 returns where the first byte that is not UTF-8 is, or -1.
func invalidUTF8(s string) int {
	if utf8.ValidString(s) {
		return -1
	}
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], string(utf8.RuneError)) {
			return i
		}
	}
	return -1
}

// WriteText writes documents in the form that [Read] reads. Line breaks within a sentence become spaces; sentences that
// are blank, and documents without sentences, are left out.
func WriteText(w io.Writer, documents iter.Seq2[Document, error]) error {
	out := bufio.NewWriterSize(w, 1<<16)
	first := true
	for document, err := range documents {
		if err != nil {
			return err
		}
		began := false
		for _, sentence := range document {
			sentence = strings.Join(strings.Fields(sentence), " ")
			if sentence == "" {
				continue
			}
			if !began && !first {
				out.WriteByte('\n')
			}
			began, first = true, false
			out.WriteString(sentence)
			out.WriteByte('\n')
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("corpus: write text: %w", err)
	}
	return nil
}
