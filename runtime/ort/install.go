package ort

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"time"
)

// npmPackage is the package that carries the library for the CPU, for every platform that Node.js has.
const npmPackage = "onnxruntime-node@" + PinnedVersion

// artifact is one platform's library in the package.
type artifact struct {
	member string // of the package's archive
	sha256 string
}

// artifacts are those of version [PinnedVersion], by GOOS/GOARCH.
var artifacts = map[string]artifact{
	"linux/amd64": {
		member: "package/bin/napi-v6/linux/x64/libonnxruntime.so.1",
		sha256: "ffb75a925ba05e47b235bb66e3e3911714a80b328a9c9425539feb204aa32a23",
	},
	"linux/arm64": {
		member: "package/bin/napi-v6/linux/arm64/libonnxruntime.so.1",
		sha256: "1f549d46250b005580b597f4164984aaf75b3bcb9f3aeb07c7f8a8fe60b23c76",
	},
}

// Install puts the library of version [PinnedVersion] at [CachePath], by way of npm, and returns that path. One that
// is already there, whole and unchanged, is left as it is and needs no network: fetched is then false. A library
// appears in the cache complete and checked, or not at all.
func Install(ctx context.Context) (path string, fetched bool, err error) {
	path, err = CachePath()
	if err != nil {
		return "", false, err
	}
	platform := goruntime.GOOS + "/" + goruntime.GOARCH
	wanted, ok := artifacts[platform]
	if !ok {
		return "", false, fmt.Errorf("ort: install: no library of ONNX Runtime %s for %s, only for linux/amd64 and "+
			"linux/arm64; set %s to one that you have", PinnedVersion, platform, LibraryEnv)
	}
	fetched, err = wanted.install(ctx, path)
	if err != nil {
		return "", false, fmt.Errorf("ort: install: %w", err)
	}
	return path, fetched, nil
}

// install brings the artifact to path unless it is there.
func (a artifact) install(ctx context.Context, path string) (fetched bool, err error) {
	if sum, err := fileSum(path); err == nil && sum == a.sha256 {
		return false, nil
	}
	dir, err := os.MkdirTemp("", "goalbert-onnxruntime-")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	archive, err := npmPack(ctx, dir)
	if err != nil {
		return false, err
	}
	return true, a.extract(archive, path)
}

// npmPack downloads the package into dir and returns the archive's path. No script of the package is run.
func npmPack(ctx context.Context, dir string) (string, error) {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return "", fmt.Errorf("npm is not installed; install it, or set %s to a library that you have", LibraryEnv)
	}
	command := exec.CommandContext(ctx, npm, "pack", npmPackage, "--ignore-scripts", "--loglevel=error",
		"--fetch-retries=1", "--fetch-retry-mintimeout=1000")
	command.Dir = dir
	command.WaitDelay = 5 * time.Second // for what npm itself has started
	var stderr strings.Builder
	command.Stderr = &stderr
	if err := command.Run(); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("npm pack %s: %w", npmPackage, npmFailure(stderr.String(), err))
	}
	archives, err := filepath.Glob(filepath.Join(dir, "*.tgz"))
	if err != nil || len(archives) != 1 {
		return "", fmt.Errorf("npm pack %s: got %d archives, want 1", npmPackage, len(archives))
	}
	return archives[0], nil
}

// npmFailure makes one sentence of npm's report: "npm error code ENOTFOUND" and lines of advice.
func npmFailure(stderr string, err error) error {
	for line := range strings.Lines(stderr) {
		_, code, ok := strings.Cut(strings.TrimSpace(line), " code ")
		if !ok {
			continue
		}
		switch code {
		case "ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "ERR_SOCKET_TIMEOUT":
			return fmt.Errorf("no network (%s); connect and try again, or set %s to a library that you have",
				code, LibraryEnv)
		case "E404", "ETARGET":
			return fmt.Errorf("the registry that npm uses does not have it (%s); set %s to a library that you have",
				code, LibraryEnv)
		}
		return fmt.Errorf("failed with %s", code)
	}
	if first, _, _ := strings.Cut(strings.TrimSpace(stderr), "\n"); first != "" {
		return fmt.Errorf("%w: %s", err, first)
	}
	return err
}

// extract writes the artifact's member of the archive to path, through a temporary file beside it.
func (a artifact) extract(archive, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	temporary, err := os.CreateTemp(filepath.Dir(path), ".libonnxruntime-")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name()) // fails after the rename, as it should
	defer temporary.Close()
	hash := sha256.New()
	if err := a.copyMember(io.MultiWriter(temporary, hash), archive); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(archive), err)
	}
	if sum := hex.EncodeToString(hash.Sum(nil)); sum != a.sha256 {
		return fmt.Errorf("%s: %s: checksum mismatch: got SHA-256 %s, want %s; nothing was installed",
			filepath.Base(archive), a.member, sum, a.sha256)
	}
	if err := temporary.Chmod(0o644); err != nil {
		return err
	}
	if err := temporary.Sync(); err != nil {
		return err
	}
	if err := temporary.Close(); err != nil {
		return err
	}
	return os.Rename(temporary.Name(), path)
}

// copyMember copies the artifact's member out of the archive.
func (a artifact) copyMember(w io.Writer, archive string) error {
	file, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer file.Close()
	plain, err := gzip.NewReader(file)
	if err != nil {
		return fmt.Errorf("damaged archive: %w", err)
	}
	for members := tar.NewReader(plain); ; {
		header, err := members.Next()
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("no %s in the archive", a.member)
		}
		if err != nil {
			return fmt.Errorf("damaged archive: %w", err)
		}
		if header.Name != a.member {
			continue
		}
		if _, err := io.Copy(w, members); err != nil {
			return fmt.Errorf("copy %s: %w", a.member, err)
		}
		return nil
	}
}

// cacheLack reports a library in the cache that is not the one that [Install] put there.
func cacheLack(path string) (Lack, bool) {
	wanted, ok := artifacts[goruntime.GOOS+"/"+goruntime.GOARCH]
	if !ok {
		return Lack{}, false
	}
	if sum, err := fileSum(path); err == nil && sum == wanted.sha256 {
		return Lack{}, false
	}
	what := fmt.Sprintf("ort: %s is not the library of onnxruntime %s that was installed there", path, PinnedVersion)
	return Lack{What: what, Mend: InstallCommand}, true
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
