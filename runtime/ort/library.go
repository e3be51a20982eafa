package ort

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
)

const (
	// LibraryEnv is the environment variable that names the library, or the directory that it lies in.
	LibraryEnv = "ONNXRUNTIME_SHARED_LIBRARY_PATH"

	// PinnedVersion is the version of ONNX Runtime that [Install] gets.
	PinnedVersion = "1.30.0"

	// MinimumVersion is the oldest library that onnxruntime_go v1.27.0 can talk to: it asks for API 24.
	MinimumVersion = "1.24"

	// InstallCommand is what gets a user a library.
	InstallCommand = "albert runtime install"

	// InstallGPUCommand is what gets a user a library with CUDA.
	InstallGPUCommand = InstallCommand + " --gpu"
)

// Origin says which of the places that [Find] looks in held the library.
type Origin string

const (
	FromOption      Origin = "option"
	FromEnvironment Origin = "environment"
	FromCache       Origin = "cache"
	FromSystem      Origin = "system"
)

// Library is an ONNX Runtime shared library that this process can use.
type Library struct {
	Path      string   `json:"path"`
	Origin    Origin   `json:"origin"`
	Version   string   `json:"version"`   // "1.30.0"; empty where a build without cgo cannot read it off the file
	Providers []string `json:"providers"` // "CUDAExecutionProvider", ...; a build without cgo knows none
}

// Find returns the library to use. The first of these that names one decides, and if what it names is not usable that
// is the error, never a reason to look further:
//
//  1. option, a file or directory; empty is none
//  2. the environment variable [LibraryEnv], a file or directory
//  3. the user's cache, where [Install] puts one; the one with CUDA before the other, as it runs on the CPU too
//
// Only the system's library directories and the usual places of Python and Node packages are searched for the first
// library that is usable.
func Find(option string) (Library, error) {
	s := search{
		option:      option,
		environment: os.Getenv(LibraryEnv),
		system:      systemDirectories(),
		inspect:     inspect,
	}
	if path, err := CachePath(); err == nil {
		s.cache = path
	}
	return s.find()
}

// CachePath returns where [Install] puts the library: the one with CUDA, where that is installed.
func CachePath() (string, error) {
	if path, err := cachePath(true); err == nil {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return cachePath(false)
}

func cachePath(gpu bool) (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("ort: find the user's cache directory: %w; set HOME or XDG_CACHE_HOME", err)
	}
	version := PinnedVersion
	if gpu {
		version += "-gpu"
	}
	return filepath.Join(dir, "goalbert", "onnxruntime", version, cachedName), nil
}

// cachedName is the library's file name in the cache.
const cachedName = "libonnxruntime.so.1"

// search is one run of [Find], with its places as values for tests.
type search struct {
	option, environment, cache string
	system                     []string
	inspect                    func(path string) (Library, error)
}

func (s search) find() (Library, error) {
	const another = "name a library of version " + MinimumVersion + " or newer, or none and run: " + InstallCommand
	if s.option != "" {
		return s.named(s.option, FromOption, "given path", another)
	}
	if s.environment != "" {
		return s.named(s.environment, FromEnvironment, LibraryEnv, another)
	}
	looked := []string{LibraryEnv + " (not set)"}
	if s.cache != "" {
		if _, err := os.Stat(s.cache); err == nil {
			return s.named(s.cache, FromCache, "cache", "run: "+InstallCommand)
		}
		looked = append(looked, s.cache)
	}
	var refused []string
	for _, dir := range s.system {
		for _, path := range librariesIn(dir) {
			library, err := s.inspect(path)
			if err == nil {
				library.Origin = FromSystem
				return library, nil
			}
			refused = append(refused, err.Error())
		}
	}
	looked = append(looked, s.system...)
	message := "not found in " + strings.Join(looked, ", ")
	if refused != nil {
		message += "; not usable: " + strings.Join(refused, ", ")
	}
	return Library{}, fmt.Errorf("ort: find ONNX Runtime: %s; run: %s", message, InstallCommand)
}

// named returns the library at path, a file or a directory, that origin names.
func (s search) named(path string, origin Origin, source, mend string) (Library, error) {
	path, err := libraryFile(path)
	if err != nil {
		return Library{}, fmt.Errorf("ort: find ONNX Runtime: %s: %w; %s", source, err, mend)
	}
	library, err := s.inspect(path)
	if err != nil {
		return Library{}, fmt.Errorf("ort: find ONNX Runtime: %s: %w; %s", source, err, mend)
	}
	library.Origin = origin
	return library, nil
}

// libraryFile returns path if it is a file, and the library in it if it is a directory.
func libraryFile(path string) (string, error) {
	path, err := filepath.Abs(path) // the loader searches its own places for a name without a slash
	if err != nil {
		return "", err
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", withoutOperation(path, err)
	}
	if !info.IsDir() {
		return path, nil
	}
	found := librariesIn(path)
	if len(found) == 0 {
		return "", fmt.Errorf("%s: no %s in this directory", path, strings.Join(libraryNames(), " or "))
	}
	return found[0], nil
}

// withoutOperation words err, of a call on path, as the rest of the package does: the path first.
func withoutOperation(path string, err error) error {
	if pathError, ok := errors.AsType[*os.PathError](err); ok {
		err = pathError.Err
	}
	return fmt.Errorf("%s: %w", path, err)
}

// libraryNames are the patterns of the library's file name, the preferred first.
func libraryNames() []string {
	if goruntime.GOOS == "darwin" {
		return []string{"libonnxruntime.dylib", "libonnxruntime.*.dylib"}
	}
	return []string{"libonnxruntime.so", "libonnxruntime.so.1", "libonnxruntime.so.1.*"}
}

// librariesIn returns the libraries in dir, by preference of their names and the newest first.
func librariesIn(dir string) []string {
	var found []string
	for _, pattern := range libraryNames() {
		matches, err := filepath.Glob(filepath.Join(escapeGlob(dir), pattern))
		if err != nil {
			continue // only a malformed pattern, which ours are not
		}
		slices.SortFunc(matches, func(a, b string) int { return compareVersions(b, a) })
		found = append(found, matches...)
	}
	return found
}

// escapeGlob returns dir as a pattern that matches it alone.
func escapeGlob(dir string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}
