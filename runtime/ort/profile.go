//go:build cgo && !windows

package ort

import (
	"fmt"
	"os"
	"path/filepath"

	onnxruntime "github.com/yalue/onnxruntime_go"
)

// profile is the file that ONNX Runtime writes while a session lives. It chooses the end of the name itself, and the
// file is whole only when the session is destroyed: so it lies in a directory of its own until then.
type profile struct {
	path, dir string
}

// newProfile makes the session of options write a profile, which keep moves to path; an empty path is none.
func newProfile(options *onnxruntime.SessionOptions, path string) (*profile, error) {
	if path == "" {
		return nil, nil
	}
	dir, err := os.MkdirTemp(filepath.Dir(path), ".profile-")
	if err != nil {
		return nil, fmt.Errorf("profile: %w", err)
	}
	p := &profile{path: path, dir: dir}
	if err := options.EnableProfiling(filepath.Join(dir, "profile")); err != nil {
		p.discard()
		return nil, fmt.Errorf("profile: %w", cause(err))
	}
	return p, nil
}

// keep moves the profile of a destroyed session to its path.
func (p *profile) keep() error {
	if p == nil {
		return nil
	}
	defer p.discard()
	files, err := filepath.Glob(filepath.Join(escapeGlob(p.dir), "profile*.json"))
	if err != nil || len(files) != 1 {
		return fmt.Errorf("profile: got %d files, want 1", len(files))
	}
	if err := os.Rename(files[0], p.path); err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	return nil
}

func (p *profile) discard() {
	if p != nil {
		os.RemoveAll(p.dir)
	}
}
