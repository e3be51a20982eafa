package corpus

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"regexp"
)

// partialInfix marks the names of files that are not whole.
const partialInfix = ".partial-"

// atomicFile is a file that appears under its name when it is whole and on the disk.
type atomicFile struct {
	*bufio.Writer
	path  string
	file  *os.File
	hash  hash.Hash
	bytes int64
}

func createFile(path string) (*atomicFile, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+partialInfix)
	if err != nil {
		return nil, fmt.Errorf("corpus: write %s: %w", path, err)
	}
	a := &atomicFile{path: path, file: f, hash: sha256.New()}
	a.Writer = bufio.NewWriterSize(io.MultiWriter(f, a.hash, (*counter)(&a.bytes)), 1<<16)
	return a, nil
}

// commit makes the file appear, replacing what was there.
func (a *atomicFile) commit() error {
	err := cmp.Or(a.Flush(), a.file.Chmod(0o644), a.file.Sync(), a.file.Close()) // the first says why
	if err == nil {
		err = os.Rename(a.file.Name(), a.path)
	}
	if err == nil {
		err = syncDirectory(filepath.Dir(a.path))
	}
	if err != nil {
		os.Remove(a.file.Name())
		return fmt.Errorf("corpus: write %s: %w; nothing that was there before is lost", a.path, err)
	}
	return nil
}

// abort removes what was written.
func (a *atomicFile) abort() {
	a.file.Close()
	os.Remove(a.file.Name())
}

// sum returns the SHA-256 of what was flushed.
func (a *atomicFile) sum() string { return hex.EncodeToString(a.hash.Sum(nil)) }

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

func syncDirectory(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return cmp.Or(d.Sync(), d.Close())
}

// ownPartial matches the names of our files that are not whole.
var ownPartial = regexp.MustCompile(`^\.(shard-\d{5,}\.parquet|manifest\.json)` + regexp.QuoteMeta(partialInfix) + `\d+$`)

// removePartial removes what a crash left half-written in a directory of shards.
func removePartial(directory string) error {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return fmt.Errorf("corpus: %w", err)
	}
	for _, e := range entries {
		if ownPartial.MatchString(e.Name()) {
			if err := os.Remove(filepath.Join(directory, e.Name())); err != nil {
				return fmt.Errorf("corpus: %w", err)
			}
		}
	}
	return nil
}

// HashFile returns the SHA-256 of a file, in hexadecimal.
func HashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.CopyBuffer(h, f, make([]byte, 1<<20)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
