package ort

import (
	"encoding/json"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"testing"
)

// What the environment names is not there: Doctor says so, and how to be rid of it.
func TestDoctorWrongVariable(t *testing.T) {
	t.Setenv(LibraryEnv, filepath.Join(t.TempDir(), "none.so"))
	facts := Doctor("", CPU)
	if facts.Library != nil || len(facts.Lacks) == 0 {
		t.Fatalf("got %+v, want no library and what is lacking", facts)
	}
	last := facts.Lacks[len(facts.Lacks)-1]
	if !strings.Contains(last.What, LibraryEnv) || last.Mend != "unset "+LibraryEnv+"; "+InstallCommand {
		t.Errorf("got %+v, want the variable as the cause and the cure", last)
	}
	// An option is stronger than the variable, which then is not what must be mended.
	last = Doctor(filepath.Join(t.TempDir(), "none.so"), CPU).Lacks[len(facts.Lacks)-1]
	if !strings.Contains(last.What, "given path") || last.Mend != InstallCommand {
		t.Errorf("with an option: got %+v", last)
	}
}

// A damaged library in the cache is mended by installing it again.
func TestDoctorDamagedCache(t *testing.T) {
	if goruntime.GOOS != "linux" {
		t.Skip("the cache is at XDG_CACHE_HOME on Linux")
	}
	t.Setenv(LibraryEnv, "")
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	path, err := CachePath()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("damaged"), 0o666); err != nil {
		t.Fatal(err)
	}
	facts := Doctor("", CPU)
	last := facts.Lacks[len(facts.Lacks)-1]
	if !strings.Contains(last.What, "cache: "+path) || last.Mend != InstallCommand {
		t.Errorf("got %+v, want the cache's library as the cause", last)
	}
}

// Doctor tells the library that Find finds, and as JSON everything that its readers look for.
func TestDoctorFinds(t *testing.T) {
	want, err := Find("")
	if err != nil {
		t.Skipf("needs ONNX Runtime: %v", err)
	}
	facts := Doctor("", CPU)
	if facts.Library == nil || facts.Library.Path != want.Path || facts.Library.Version != want.Version {
		t.Errorf("got %+v, want %+v", facts.Library, want)
	}
	text, err := json.Marshal(facts)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"library", "path", "origin", "version", "providers", "cache_path", "nvidia_driver", "lacks"} {
		if !strings.Contains(string(text), `"`+key+`":`) {
			t.Errorf("%s has no key %s", text, key)
		}
	}
	if strings.Contains(string(text), "null") {
		t.Errorf("%s has a null", text)
	}
}

// A library in the cache that works but is not the one that was put there.
func TestCacheLack(t *testing.T) {
	path := fakeLibrary(t, cachedName)
	lack, found := cacheLack(path)
	if _, pinned := artifacts[goruntime.GOOS+"/"+goruntime.GOARCH]; found != pinned {
		t.Errorf("got %+v, %v; want one where a library is pinned: %v", lack, found, pinned)
	}
	if found && (!strings.Contains(lack.What, path) || lack.Mend != InstallCommand) {
		t.Errorf("got %+v", lack)
	}
}
