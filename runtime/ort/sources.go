package ort

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// source is where an archive comes from.
type source interface {
	String() string // for people: "npm (onnxruntime-node@1.30.0)"

	// fetch downloads the archive into dir and returns its path. Nothing in it is run.
	fetch(ctx context.Context, dir string, o InstallOptions) (path string, err error)
}

// ReleaseURL is where ONNX Runtime's official releases are.
const ReleaseURL = "https://github.com/microsoft/onnxruntime/releases/download"

// release is an archive of the official release, by its name without ".tgz".
type release string

func (r release) String() string { return "official release (" + string(r) + ".tgz)" }

// A server that is not reached, or does not answer, is given up after this long; a download may take longer.
const (
	answerTimeout   = 15 * time.Second
	downloadTimeout = 10 * time.Minute
)

func (r release) fetch(ctx context.Context, dir string, o InstallOptions) (string, error) {
	base := o.ReleaseURL
	if base == "" {
		base = ReleaseURL
	}
	ctx, cancel := context.WithTimeoutCause(ctx, downloadTimeout, errors.New("took longer than "+downloadTimeout.String()))
	defer cancel()
	address := strings.TrimSuffix(base, "/") + "/v" + PinnedVersion + "/" + string(r) + ".tgz"
	path := filepath.Join(dir, string(r)+".tgz")
	if err := download(ctx, path, address); err != nil {
		return "", fmt.Errorf("%s: %w", address, err)
	}
	return path, nil
}

// download writes what is at address to path.
func download(ctx context.Context, path, address string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DialContext = (&net.Dialer{Timeout: answerTimeout}).DialContext
	transport.ResponseHeaderTimeout = answerTimeout
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return withoutAddress(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answers %s", response.Status)
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := io.Copy(file, response.Body); err != nil {
		return fmt.Errorf("download broke off: %w", err)
	}
	return file.Close()
}

// withoutAddress returns what err, of an HTTP client, says beside the address.
func withoutAddress(err error) error {
	if urlError, ok := errors.AsType[*url.Error](err); ok {
		return urlError.Err
	}
	return err
}

// npm is a package of Node.js, with its version.
type npm string

func (n npm) String() string { return "npm (" + string(n) + ")" }

func (n npm) fetch(ctx context.Context, dir string, _ InstallOptions) (string, error) {
	program, err := exec.LookPath("npm")
	if err != nil {
		return "", errors.New("npm is not installed")
	}
	stderr, err := run(ctx, dir, program, "pack", string(n), "--ignore-scripts", "--loglevel=error",
		"--fetch-retries=1", "--fetch-retry-mintimeout=1000")
	if err != nil {
		return "", fmt.Errorf("npm pack: %w", npmFailure(stderr, err))
	}
	return onlyFile(dir, "*.tgz")
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
			return fmt.Errorf("no network (%s)", code)
		case "E404", "ETARGET":
			return fmt.Errorf("the registry that npm uses does not have it (%s)", code)
		}
		return fmt.Errorf("failed with %s", code)
	}
	if first, _, _ := strings.Cut(strings.TrimSpace(stderr), "\n"); first != "" {
		return fmt.Errorf("%w: %s", err, first)
	}
	return err
}

// wheel is a package of Python, with its version, for a platform.
type wheel struct{ requirement, platform string }

func (w wheel) String() string { return "pip (" + w.requirement + ")" }

func (w wheel) fetch(ctx context.Context, dir string, _ InstallOptions) (string, error) {
	command, err := pip()
	if err != nil {
		return "", err
	}
	command = append(command, "download", w.requirement, "--dest", dir, "--no-deps", "--only-binary", ":all:",
		"--implementation", "cp", "--python-version", "3.12", "--abi", "cp312", "--platform", w.platform,
		"--disable-pip-version-check", "--no-input", "--quiet", "--retries", "1")
	if stderr, err := run(ctx, dir, command[0], command[1:]...); err != nil {
		return "", fmt.Errorf("pip download: %w", pipFailure(stderr, err))
	}
	return onlyFile(dir, "*.whl")
}

// pip returns the beginning of the command that this machine has for it.
func pip() ([]string, error) {
	for _, name := range []string{"pip", "pip3"} {
		if path, err := exec.LookPath(name); err == nil {
			return []string{path}, nil
		}
	}
	if path, err := exec.LookPath("python3"); err == nil && exec.Command(path, "-c", "import pip").Run() == nil {
		return []string{path, "-m", "pip"}, nil
	}
	return nil, errors.New("pip is not installed")
}

// pipFailure makes one sentence of pip's report, whose last line with "ERROR: " says most.
func pipFailure(stderr string, err error) error {
	var last string
	for line := range strings.Lines(stderr) {
		if message, ok := strings.CutPrefix(strings.TrimSpace(line), "ERROR: "); ok {
			last = message
		}
	}
	switch {
	case strings.Contains(stderr, "Failed to establish a new connection"), strings.Contains(stderr, "NewConnectionError"):
		return errors.New("no network")
	case last != "":
		return errors.New(last)
	}
	return err
}

// run runs a program in dir and returns what it wrote to standard error. It ends with ctx.
func run(ctx context.Context, dir, program string, arguments ...string) (stderr string, err error) {
	command := exec.CommandContext(ctx, program, arguments...)
	command.Dir = dir
	command.WaitDelay = 5 * time.Second // for what the program itself has started
	var text strings.Builder
	command.Stderr = &text
	err = command.Run()
	return text.String(), err
}

// onlyFile returns the one file in dir that pattern matches.
func onlyFile(dir, pattern string) (string, error) {
	files, err := filepath.Glob(filepath.Join(escapeGlob(dir), pattern))
	if err != nil || len(files) != 1 {
		return "", fmt.Errorf("got %d archives, want 1", len(files))
	}
	return files[0], nil
}
