package corpus

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// textExtensions are those of the files that are taken from a directory; jsonExtensions mark JSON lines anywhere. Both
// may be followed by one of compressions.
var (
	textExtensions = []string{".txt", ".text", ".md", ".markdown"}
	jsonExtensions = []string{".jsonl", ".ndjson"}
	compressions   = []string{".gz", ".zst"}
)

// extension returns the extension of a name in lower case, that of a compression left out.
func extension(path string) string {
	path = strings.ToLower(path)
	if e := filepath.Ext(path); slices.Contains(compressions, e) {
		path = strings.TrimSuffix(path, e)
	}
	return filepath.Ext(path)
}

// isPlainText says whether a name is that of text that is no markdown.
func isPlainText(path string) bool {
	e := extension(path)
	return e == ".txt" || e == ".text"
}

// IsJSONLines says whether a name is that of JSON lines.
func IsJSONLines(path string) bool { return slices.Contains(jsonExtensions, extension(path)) }

// Files returns the files to read for paths: a file is itself, a directory is the text files below it in lexical order,
// hidden ones and those of directories of shards left out. A path may come several times.
func Files(paths ...string) ([]string, error) { return filesBeside("", paths) }

// filesBeside is Files without those below the output directory, which need not exist.
func filesBeside(output string, paths []string) ([]string, error) {
	if len(paths) == 0 {
		return nil, errors.New("corpus: read: got no files, want at least one")
	}
	out, err := os.Stat(output)
	if err != nil {
		out = nil
	}
	var files []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, fmt.Errorf("corpus: read: %w", err)
		}
		if !info.IsDir() {
			files = append(files, path)
			continue
		}
		if IsShards(path) {
			return nil, fmt.Errorf("corpus: read %s: it is a directory of shards, want text; prepared shards are for "+
				"albert pretrain and albert eval", path)
		}
		below, err := filesBelow(path, out)
		if err != nil {
			return nil, err
		}
		files = append(files, below...)
	}
	return files, nil
}

func filesBelow(directory string, output fs.FileInfo) ([]string, error) {
	var files []string
	// A symbolic link to the directory itself is followed, as the user named it; those below it only to files.
	root := directory + string(filepath.Separator)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path == root:
			return nil
		case strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case d.IsDir():
			info, err := d.Info()
			if err == nil && (IsShards(path) || output != nil && os.SameFile(info, output)) {
				return fs.SkipDir
			}
			return err
		}
		if e := extension(path); !slices.Contains(textExtensions, e) && !slices.Contains(jsonExtensions, e) {
			return nil
		}
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if info.Mode().IsRegular() {
			files = append(files, filepath.Clean(path))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("corpus: read: %w", err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("corpus: read %s: got no text files in the directory, want names that end in %s (.gz and .zst "+
			"may follow); name other files one by one", directory,
			strings.Join(slices.Concat(textExtensions, jsonExtensions), " "))
	}
	return files, nil
}

// maxLine is the longest line that is read: memory is bounded whatever the file.
const maxLine = 16 << 20

// lineReader reads the lines of a file, decompressed by its name. Its errors name file, line and byte.
type lineReader struct {
	path    string
	in      *bufio.Reader
	closers []io.Closer
	number  int   // of the last line
	offset  int64 // of the next line in the text
}

// foreign are files that are often taken for text, by the ends of their names and by how they begin.
var foreign = []struct{ extension, beginning, name string }{
	{".xz", "\xfd7zXZ", "xz"}, {".bz2", "BZh91AY&SY", "bzip2"}, {".zip", "PK\x03\x04", "zip"}, {".7z", "7z\xbc\xaf", "7z"},
	{".pdf", "%PDF-", "PDF"}, {".parquet", "PAR1", "Parquet"}, {"", "\x1f\x8b", "gzip, but is not called .gz"},
	{"", "\x28\xb5\x2f\xfd", "Zstandard, but is not called .zst"},
	{".json", "", "JSON that is not JSON lines, which have a record a line and are called .jsonl"},
}

// checkText refuses what is no text by its name and its beginning.
func checkText(path string, beginning []byte) error {
	what := ""
	for _, f := range foreign {
		if f.extension != "" && extension(path) == f.extension ||
			f.beginning != "" && bytes.HasPrefix(beginning, []byte(f.beginning)) {
			what = f.name
		}
	}
	line, _, _ := bytes.Cut(bytes.TrimSpace(beginning), []byte("\n"))
	switch {
	case what != "":
	case bytes.IndexByte(beginning, 0) >= 0:
		what = "binary, or UTF-16"
	case !IsJSONLines(path) && bytes.HasPrefix(line, []byte("{")) && json.Valid(line):
		what = "JSON lines, but is not called .jsonl or .ndjson"
	default:
		return nil
	}
	return fmt.Errorf("corpus: read %s: it is %s; want UTF-8 text or JSON lines (.jsonl, .ndjson), plain or compressed as "+
		".gz or .zst; convert or rename it", path, what)
}

// openLines opens a file of text.
func openLines(path string) (*lineReader, error) {
	r, err := openFile(path)
	if err != nil {
		return nil, err
	}
	beginning, err := r.in.Peek(1 << 15)
	if err == nil || err == io.EOF {
		err = checkText(path, beginning)
	} else {
		r.number = 1
		err = r.broken(err)
	}
	if err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func openFile(path string) (*lineReader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("corpus: read: %w", err)
	}
	r := &lineReader{path: path, closers: []io.Closer{f}}
	var plain io.Reader = f
	switch filepath.Ext(strings.ToLower(path)) {
	case ".gz":
		packed := bufio.NewReaderSize(f, 1<<16)
		beginning, _ := packed.Peek(2)
		isGzip := strings.HasPrefix("\x1f\x8b", string(beginning))
		unzipped, err := gzip.NewReader(packed)
		if err != nil {
			f.Close()
			if isGzip && (err == io.EOF || err == io.ErrUnexpectedEOF) {
				return nil, fmt.Errorf("corpus: read %s: the archive is cut short; get it anew", path)
			}
			return nil, fmt.Errorf("corpus: read %s: not gzip, or damaged: %w", path, err)
		}
		plain, r.closers = unzipped, append(r.closers, unzipped)
	case ".zst":
		decoder, err := zstd.NewReader(f, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(128<<20))
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("corpus: read %s: %w", path, err)
		}
		unpacked := decoder.IOReadCloser()
		plain, r.closers = unpacked, append(r.closers, unpacked)
	}
	r.in = bufio.NewReaderSize(plain, 1<<16)
	return r, nil
}

func (r *lineReader) close() {
	for _, c := range slices.Backward(r.closers) {
		c.Close()
	}
}

// broken says where reading failed.
func (r *lineReader) broken(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("corpus: read %s: line %d: the archive is cut short; get it anew", r.path, r.number)
	}
	return fmt.Errorf("corpus: read %s: line %d: %w", r.path, r.number, err)
}

// next returns the next line without white space around it and without a byte order mark; io.EOF after the last one.
func (r *lineReader) next() (string, error) {
	line, err := r.read()
	if err != nil {
		return "", err
	}
	if at := invalidUTF8(line); at >= 0 {
		return "", fmt.Errorf("corpus: read %s: line %d: byte %d of the line (byte %d of the file) is 0x%02x, "+
			"want UTF-8; convert the file, for instance with iconv", r.path, r.number, at+1, r.offset+int64(at)+1, line[at])
	}
	if r.offset == 0 {
		r.offset = int64(len(line))
		line = strings.TrimPrefix(line, "\ufeff")
	} else {
		r.offset += int64(len(line))
	}
	return strings.TrimSpace(line), nil
}

// read returns the next line with its end, if it has one.
func (r *lineReader) read() (string, error) {
	r.number++
	var long []byte
	for {
		part, err := r.in.ReadSlice('\n')
		switch {
		case err == io.EOF && len(long)+len(part) == 0:
			return "", io.EOF
		case err == nil || err == io.EOF:
			if long == nil {
				return string(part), nil
			}
			return string(append(long, part...)), nil
		case err != bufio.ErrBufferFull:
			return "", r.broken(err)
		case len(long)+len(part) > maxLine:
			return "", fmt.Errorf("corpus: read %s: line %d is longer than %d bytes; divide it into lines", r.path,
				r.number, maxLine)
		}
		long = append(long, part...)
	}
}
