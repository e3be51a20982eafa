package models

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// File is one to be written.
type File struct {
	Path  string
	Write func(io.Writer) error
}

// WriteFile makes path appear whole or not at all, replacing what was there: write fills a temporary file beside it,
// which is synced to the disk before it is renamed.
func WriteFile(path string, write func(io.Writer) error) error {
	return WriteFiles(File{path, write})
}

// WriteFiles does the same for files of one directory, the last of which refers to the others: none is renamed before
// all are written, and the last is renamed last. Where it would refer to another's old content in between, it is away
// until then: a crash leaves the old files, the new ones, or no last one.
func WriteFiles(files ...File) (err error) {
	var names []string
	defer func() {
		for _, name := range names {
			os.Remove(name)
		}
	}()
	for _, file := range files {
		name, err := writeTemporary(file)
		if err != nil {
			return writeError(file.Path, err)
		}
		names = append(names, name)
	}
	last := files[len(files)-1].Path
	for i, file := range files {
		if _, err := os.Lstat(file.Path); err == nil && file.Path != last {
			if err := os.Remove(last); err != nil && !errors.Is(err, os.ErrNotExist) {
				return writeError(last, err)
			}
		}
		if err := os.Rename(names[i], file.Path); err != nil {
			return writeError(file.Path, err)
		}
	}
	return syncPath(filepath.Dir(last))
}

func writeError(path string, err error) error {
	return fmt.Errorf("models: write %s: %w; nothing that was there before is lost", path, err)
}

// writeTemporary writes a file under another name beside its own, and returns that name. Nothing is left after an error.
func writeTemporary(file File) (name string, err error) {
	f, err := os.CreateTemp(filepath.Dir(file.Path), "."+filepath.Base(file.Path)+".partial-")
	if err != nil {
		return "", err
	}
	if err := errors.Join(file.Write(f), f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}
