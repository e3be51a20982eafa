package ort

import (
	"errors"
	"os"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
	"testing"
)

// fakeLibrary makes a file of a library's name in a new directory.
func fakeLibrary(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte("library"), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// usable finds every library good, but those that are listed.
func usable(bad ...string) func(string) (Library, error) {
	return func(path string) (Library, error) {
		for _, b := range bad {
			if path == b {
				return Library{}, errors.New(path + ": version \"1.20.0\" is too old, want 1.24 or newer")
			}
		}
		return Library{Path: path, Version: "1.30.0"}, nil
	}
}

// The first place that names a library decides.
func TestFindOrder(t *testing.T) {
	option, environment := fakeLibrary(t, "libonnxruntime.so"), fakeLibrary(t, "libonnxruntime.so.1")
	cache, system := fakeLibrary(t, cachedName), fakeLibrary(t, "libonnxruntime.so.1.30.0")
	s := search{option: option, environment: environment, cache: cache, system: []string{filepath.Dir(system)},
		inspect: usable()}
	for _, want := range []struct {
		path   string
		origin Origin
		forget func()
	}{
		{option, FromOption, func() { s.option = "" }},
		{environment, FromEnvironment, func() { s.environment = "" }},
		{cache, FromCache, func() { os.Remove(cache) }},
		{system, FromSystem, func() { os.Remove(system) }},
	} {
		library, err := s.find()
		if err != nil || library.Path != want.path || library.Origin != want.origin {
			t.Errorf("got %+v, error %v; want %s from %s", library, err, want.path, want.origin)
		}
		want.forget()
	}
	_, err := s.find()
	for _, word := range []string{LibraryEnv, cache, filepath.Dir(system), "run: " + InstallCommand} {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("nothing found: error %v does not say %q", err, word)
		}
	}
}

// What is named but not usable is the error, never a reason to look further.
func TestFindDoesNotFallBack(t *testing.T) {
	old, good := fakeLibrary(t, "libonnxruntime.so"), fakeLibrary(t, "libonnxruntime.so")
	empty := t.TempDir()
	for _, test := range []struct {
		s    search
		want string
	}{
		{search{option: old, environment: good}, "too old, want 1.24"},
		{search{option: filepath.Join(empty, "none.so"), environment: good}, "no such file"},
		{search{option: empty, environment: good}, "no libonnxruntime.so"},
		{search{environment: old, cache: good}, LibraryEnv},
		{search{cache: old, system: []string{filepath.Dir(good)}}, "run: " + InstallCommand},
		{search{system: []string{filepath.Dir(old)}}, "not usable: " + old},
	} {
		test.s.inspect = usable(old)
		if library, err := test.s.find(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %+v, error %v; want one that says %q", library, err, test.want)
		}
	}
}

// A directory gives its newest library, and one that cannot be used is passed over in a system directory.
func TestFindInDirectory(t *testing.T) {
	dir := t.TempDir()
	for _, version := range []string{"1.9.0", "1.30.0", "1.24.0"} {
		name := "libonnxruntime.so." + version
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	newest, second := filepath.Join(dir, "libonnxruntime.so.1.30.0"), filepath.Join(dir, "libonnxruntime.so.1.24.0")
	library, err := search{option: dir, inspect: usable()}.find()
	if err != nil || library.Path != newest {
		t.Errorf("got %+v, error %v; want %s", library, err, newest)
	}
	library, err = search{system: []string{dir}, inspect: usable(newest)}.find()
	if err != nil || library.Path != second {
		t.Errorf("got %+v, error %v; want %s", library, err, second)
	}
}

func TestVersions(t *testing.T) {
	for version, ok := range map[string]bool{
		"1.24": true, "1.24.0": true, "1.30.0": true, "1.31.0-dev": true, "2.0": true,
		"1.23.2": false, "1.9.9": false, "0.5": false, "": false, "unknown": false,
	} {
		if err := checkVersion(version); (err == nil) != ok {
			t.Errorf("version %q: got error %v, want good = %v", version, err, ok)
		}
	}
}

// Find reads the environment, and says which of its places is wrong.
func TestFindReadsTheEnvironment(t *testing.T) {
	t.Setenv(LibraryEnv, fakeLibrary(t, "libonnxruntime.so"))
	_, err := Find("")
	if want := LibraryEnv + ": " + os.Getenv(LibraryEnv); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got error %v, want one that says %q", err, want)
	}
	t.Setenv(LibraryEnv, "none.so") // as a name alone the loader would search its own places for it
	if _, err := Find(""); err == nil || !strings.Contains(err.Error(), "/none.so: no such file") {
		t.Errorf("got error %v, want one with an absolute path", err)
	}
}

// The places of a system are absolute, once each, and the loader's configuration is among them.
func TestSystemDirectories(t *testing.T) {
	t.Setenv("LD_LIBRARY_PATH", "/first:relative:/first:/usr/lib")
	t.Setenv("DYLD_LIBRARY_PATH", "/first:relative:/first:/usr/lib")
	dirs := systemDirectories()
	if dirs[0] != "/first" {
		t.Errorf("the first is %s, want what the loader's variable names", dirs[0])
	}
	for i, dir := range dirs {
		if !filepath.IsAbs(dir) || slices.Contains(dirs[:i], dir) {
			t.Errorf("%s is relative or there twice in %v", dir, dirs)
		}
	}
	conf := filepath.Join(t.TempDir(), "x.conf")
	if err := os.WriteFile(conf, []byte("# comment\n/opt/a\n\n  /opt/b \nhwcap 1\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if got := loaderDirectories(conf); !slices.Equal(got, []string{"/opt/a", "/opt/b"}) {
		t.Errorf("got %v, want /opt/a and /opt/b", got)
	}
}

// The packages of Python and Node are looked for in environments that are active, and in homes; never in the working
// directory.
func TestPackageDirectories(t *testing.T) {
	platform := goruntime.GOOS + "/" + strings.Replace(goruntime.GOARCH, "amd64", "x64", 1)
	root := t.TempDir()
	t.Setenv("VIRTUAL_ENV", filepath.Join(root, "venv[1]"))
	t.Setenv("CONDA_PREFIX", filepath.Join(root, "conda"))
	t.Setenv("HOME", filepath.Join(root, "home"))
	var want []string
	for _, dir := range []string{
		"venv[1]/lib/python3.12/site-packages/onnxruntime/capi",
		"conda/lib/python3.13/site-packages/onnxruntime/capi",
		"conda/lib",
		"home/.local/lib/python3.11/site-packages/onnxruntime/capi",
		"home/.pyenv/versions/3.12.1/lib/python3.12/site-packages/onnxruntime/capi",
		"home/.nvm/versions/node/v22.1.0/lib/node_modules/onnxruntime-node/bin/napi-v6/" + platform,
		"working/.venv/lib/python3.12/site-packages/onnxruntime/capi",
	} {
		dir = filepath.Join(root, dir)
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		want = append(want, dir)
	}
	t.Chdir(filepath.Join(root, "working"))
	dirs := systemDirectories()
	for i, dir := range want {
		if last := i == len(want)-1; slices.Contains(dirs, dir) == last {
			t.Errorf("%s is among %v: %v", dir, dirs, last)
		}
	}
}

// The library with CUDA is found before the one without.
func TestCachePathPrefersGPU(t *testing.T) {
	if goruntime.GOOS != "linux" {
		t.Skip("the cache is at XDG_CACHE_HOME on Linux")
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	for _, gpu := range []bool{false, true} {
		want, err := cachePath(gpu)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(want), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(want, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		if got, err := CachePath(); err != nil || got != want {
			t.Errorf("got %s, error %v; want %s", got, err, want)
		}
	}
}
