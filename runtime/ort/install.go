package ort

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
)

// InstallOptions are those of [Install]; the zero value is the library for the CPU.
type InstallOptions struct {
	GPU        bool                 // the build with CUDA, and its providers' libraries
	ReleaseURL string               // of a mirror of the official releases; empty is [ReleaseURL]
	Failed     func(message string) // is told why a source was given up before the next is tried; may be nil
}

// Installation is what [Install] has done.
type Installation struct {
	Path    string `json:"path"` // of the library
	Fetched bool   `json:"fetched"`
	Source  string `json:"source"` // empty where nothing was fetched
}

// Install puts the library of version [PinnedVersion] into the user's cache, where [Find] looks for it. The official
// release is tried first, then npm, then pip; the build with CUDA comes from pip alone. A library that is already there,
// whole and unchanged, is left as it is and needs no network. One appears in the cache complete and checked against its
// pinned SHA-256, or not at all.
func Install(ctx context.Context, o InstallOptions) (Installation, error) {
	path, err := cachePath(o.GPU)
	if err != nil {
		return Installation{}, err
	}
	table, kind := artifacts, ""
	if o.GPU {
		table, kind = gpuArtifacts, " with CUDA"
	}
	platform := goruntime.GOOS + "/" + goruntime.GOARCH
	sources, ok := table[platform]
	if !ok {
		return Installation{}, fmt.Errorf("ort: install: no library of ONNX Runtime %s%s is pinned for %s; set %s to one that you have",
			PinnedVersion, kind, platform, LibraryEnv)
	}
	installed, err := install(ctx, sources, path, o)
	if err != nil {
		return Installation{}, fmt.Errorf("ort: install: %w", err)
	}
	return installed, nil
}

// install brings the library to path from the first source that has it.
func install(ctx context.Context, sources []artifact, path string, o InstallOptions) (Installation, error) {
	for _, a := range sources {
		if a.isAt(filepath.Dir(path)) {
			return Installation{Path: path}, nil
		}
	}
	var failures []string
	for _, a := range sources {
		err := a.install(ctx, filepath.Dir(path), o)
		if err == nil {
			return Installation{Path: path, Fetched: true, Source: a.source.String()}, nil
		}
		if ctx.Err() != nil {
			return Installation{}, ctx.Err()
		}
		failure := a.source.String() + ": " + strings.Join(strings.Fields(err.Error()), " ")
		failures = append(failures, failure)
		if o.Failed != nil {
			o.Failed(failure)
		}
	}
	return Installation{}, fmt.Errorf("%s; nothing was installed: connect and try again, or set %s to a library that you have",
		strings.Join(failures, "; "), LibraryEnv)
}

// isAt reports whether dir holds the artifact, whole and unchanged.
func (a artifact) isAt(dir string) bool {
	for _, m := range a.members {
		if sum, err := fileSum(filepath.Join(dir, m.name)); err != nil || sum != m.sha256 {
			return false
		}
	}
	return true
}

// install fetches the artifact and makes dir hold it: the new directory is complete before it takes the old one's place.
func (a artifact) install(ctx context.Context, dir string, o InstallOptions) error {
	download, err := os.MkdirTemp("", "goalbert-onnxruntime-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(download)
	archive, err := a.source.fetch(ctx, download, o)
	if err != nil {
		return err
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	complete, err := os.MkdirTemp(parent, ".installing-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(complete) // what the rename has moved away is not there
	if err := os.Chmod(complete, 0o755); err != nil {
		return err
	}
	if err := a.unpack(archive, complete); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(archive), err)
	}
	return replace(dir, complete)
}

// replace renames the directory complete to dir. What dir was is moved away first, and put back if that fails.
func replace(dir, complete string) error {
	old := complete + ".old"
	err := os.Rename(dir, old)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	defer os.RemoveAll(old)
	if err := os.Rename(complete, dir); err != nil {
		os.Rename(old, dir)
		return err
	}
	return nil
}

// unpack writes the members of the archive to dir and checks them.
func (a artifact) unpack(archive, dir string) error {
	open := openTar
	if filepath.Ext(archive) == ".whl" {
		open = openZip
	}
	missing := map[string]member{}
	for _, m := range a.members {
		missing[m.path] = m
	}
	err := open(archive, func(name string, content io.Reader) error {
		m, ok := missing[name]
		if !ok {
			return nil
		}
		delete(missing, name)
		return m.write(filepath.Join(dir, m.name), content)
	})
	if err != nil {
		return err
	}
	for path := range missing {
		return fmt.Errorf("no %s in the archive", path)
	}
	return nil
}

// write writes the member's content to path, and checks its sum.
func (m member) write(path string, content io.Reader) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(io.MultiWriter(file, hash), content); err != nil {
		return fmt.Errorf("copy %s: %w", m.path, err)
	}
	if sum := hex.EncodeToString(hash.Sum(nil)); sum != m.sha256 {
		return fmt.Errorf("%s: checksum mismatch: got SHA-256 %s, want %s", m.path, sum, m.sha256)
	}
	if err := file.Sync(); err != nil {
		return err
	}
	return file.Close()
}

// openTar calls each with the files of a .tgz.
func openTar(archive string, each func(name string, content io.Reader) error) error {
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	plain, err := gzip.NewReader(file)
	if err != nil {
		return fmt.Errorf("damaged archive: %w", err)
	}
	for files := tar.NewReader(plain); ; {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("damaged archive: %w", err)
		}
		if err := each(header.Name, files); err != nil {
			return err
		}
	}
}

// openZip calls each with the files of a .whl.
func openZip(archive string, each func(name string, content io.Reader) error) error {
	files, err := zip.OpenReader(archive)
	if err != nil {
		return fmt.Errorf("damaged archive: %w", err)
	}
	defer files.Close()
	for _, f := range files.File {
		content, err := f.Open()
		if err != nil {
			return fmt.Errorf("damaged archive: %s: %w", f.Name, err)
		}
		err = each(f.Name, content)
		content.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// cacheLack reports a library in the cache that is not one that [Install] put there.
func cacheLack(path string) (Lack, bool) {
	platform := goruntime.GOOS + "/" + goruntime.GOARCH
	command, sources := InstallCommand, artifacts[platform]
	if gpu, err := cachePath(true); err == nil && gpu == path {
		command, sources = InstallGPUCommand, gpuArtifacts[platform]
	}
	for _, a := range sources {
		if a.isAt(filepath.Dir(path)) {
			return Lack{}, false
		}
	}
	if len(sources) == 0 {
		return Lack{}, false
	}
	what := fmt.Sprintf("ort: %s is not the library of onnxruntime %s that was installed there", path, PinnedVersion)
	return Lack{What: what, Mend: command}, true
}

func fileSum(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
