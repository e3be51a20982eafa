package ort

import (
	"bufio"
	"os"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
)

// systemDirectories returns the directories of this machine that may hold a library, in the order of search: the
// loader's own, then those that Python's onnxruntime and Node's onnxruntime-node bring one in.
func systemDirectories() []string {
	var dirs []string
	if goruntime.GOOS == "darwin" {
		dirs = append(filepath.SplitList(os.Getenv("DYLD_LIBRARY_PATH")), "/opt/homebrew/lib", "/usr/local/lib")
	} else {
		dirs = slices.Concat(
			filepath.SplitList(os.Getenv("LD_LIBRARY_PATH")),
			loaderDirectories("/etc/ld.so.conf.d/*.conf"),
			[]string{"/usr/local/lib", "/usr/local/lib64", "/usr/lib", "/usr/lib64"},
			[]string{"/usr/lib/" + multiarch(), "/opt/onnxruntime/lib"},
		)
	}
	for _, pattern := range packagePatterns() {
		matches, err := filepath.Glob(pattern)
		if err == nil {
			dirs = append(dirs, matches...)
		}
	}
	var known []string
	for _, dir := range dirs {
		if filepath.IsAbs(dir) && !slices.Contains(known, dir) {
			known = append(known, dir)
		}
	}
	return known
}

// multiarch is Debian's name for this architecture's library directory.
func multiarch() string {
	if goruntime.GOARCH == "arm64" {
		return "aarch64-linux-gnu"
	}
	return "x86_64-linux-gnu"
}

// loaderDirectories returns the directories that the loader's configuration files name.
func loaderDirectories(pattern string) []string {
	files, err := filepath.Glob(pattern)
	if err != nil {
		return nil
	}
	var dirs []string
	for _, path := range files {
		file, err := os.Open(path)
		if err != nil {
			continue // a place that cannot be read is no place to find a library
		}
		lines := bufio.NewScanner(file)
		for lines.Scan() {
			if dir := strings.TrimSpace(lines.Text()); strings.HasPrefix(dir, "/") {
				dirs = append(dirs, dir)
			}
		}
		file.Close()
	}
	return dirs
}

// packagePatterns returns where pip and npm install a library, as patterns. The working directory is no such place: a
// program that loads code from wherever it is started runs what others put there.
func packagePatterns() []string {
	var patterns []string
	for _, site := range sitePackages() {
		patterns = append(patterns, filepath.Join(site, "onnxruntime/capi"))
	}
	if env := os.Getenv("CONDA_PREFIX"); env != "" {
		patterns = append(patterns, filepath.Join(escapeGlob(env), "lib"))
	}
	platform := goruntime.GOOS + "/" + strings.Replace(goruntime.GOARCH, "amd64", "x64", 1)
	roots := []string{"/usr/local/lib", "/usr/lib"}
	if home, err := os.UserHomeDir(); err == nil {
		roots = append(roots, filepath.Join(home, ".nvm/versions/node/*/lib"), filepath.Join(home, ".npm-global/lib"))
	}
	for _, root := range roots {
		patterns = append(patterns, filepath.Join(root, "node_modules/onnxruntime-node/bin/napi-v*", platform))
	}
	return patterns
}

// sitePackages returns the directories that Python packages are installed in, as patterns: the active environment's
// first, then the user's, then the machine's.
func sitePackages() []string {
	const site = "lib/python3*/*-packages"
	var patterns []string
	for _, variable := range []string{"VIRTUAL_ENV", "CONDA_PREFIX"} {
		if env := os.Getenv(variable); env != "" {
			patterns = append(patterns, filepath.Join(escapeGlob(env), site))
		}
	}
	if home, err := os.UserHomeDir(); err == nil {
		home = escapeGlob(home)
		patterns = append(patterns, filepath.Join(home, ".local", site), filepath.Join(home, ".pyenv/versions/*", site))
	}
	return append(patterns, "/usr/local/"+site, "/usr/lib/python3/dist-packages")
}
