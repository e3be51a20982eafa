package corpus

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"unicode/utf8"
)

// A Document is its sentences, in order.
type Document []string

// Read reads text files: one sentence a line, a blank line or the end of a file ends a document. White space around a
// sentence and a byte order mark are dropped. After an error nothing follows. The errors name file, line and byte.
func Read(paths ...string) iter.Seq2[Document, error] {
	return func(yield func(Document, error) bool) {
		if len(paths) == 0 {
			yield(nil, errors.New("corpus: read: got no files, want at least one"))
			return
		}
		for _, path := range paths {
			if !readFile(path, yield) {
				return
			}
		}
	}
}

// readFile yields the documents of a file and returns whether to go on with the next.
func readFile(path string, yield func(Document, error) bool) bool {
	f, err := os.Open(path)
	if err != nil {
		yield(nil, fmt.Errorf("corpus: read: %w", err))
		return false
	}
	defer f.Close()
	var document Document
	in := bufio.NewReaderSize(f, 1<<16)
	offset := 0
	for number := 1; ; number++ {
		line, readErr := in.ReadString('\n')
		if readErr != nil && readErr != io.EOF {
			yield(nil, fmt.Errorf("corpus: read line %d: %w", number, readErr))
			return false
		}
		if at := invalidUTF8(line); at >= 0 {
			yield(nil, fmt.Errorf("corpus: read %s: line %d: byte %d of the line (byte %d of the file) is 0x%02x, "+
				"want UTF-8; convert the file, for instance with iconv", path, number, at+1, offset+at+1, line[at]))
			return false
		}
		if offset == 0 {
			line = strings.TrimPrefix(line, "\ufeff")
		}
		offset += len(line)
		if sentence := strings.TrimSpace(line); sentence != "" {
			document = append(document, sentence)
		}
		if ends := readErr == io.EOF || strings.TrimSpace(line) == ""; ends && len(document) > 0 {
			if !yield(document, nil) {
				return false
			}
			document = nil
		}
		if readErr == io.EOF {
			return true
		}
	}
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
