//go:build cgo && linux

package ort

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// compile makes a shared library of C source in a new directory. The version script, if any, stamps its symbols.
func compile(t testing.TB, source, script string, arguments ...string) string {
	t.Helper()
	cc, err := exec.LookPath("cc")
	if err != nil {
		t.Skip("needs a C compiler, cc")
	}
	dir := t.TempDir()
	file, library := filepath.Join(dir, "library.c"), filepath.Join(dir, "libonnxruntime.so")
	if err := os.WriteFile(file, []byte(source), 0o666); err != nil {
		t.Fatal(err)
	}
	arguments = append([]string{"-shared", "-fPIC", "-o", library, file}, arguments...)
	if script != "" {
		path := filepath.Join(dir, "script")
		if err := os.WriteFile(path, []byte(script), 0o666); err != nil {
			t.Fatal(err)
		}
		arguments = append(arguments, "-Wl,--version-script="+path)
	}
	if output, err := exec.Command(cc, arguments...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return library
}

// runtimeOf is a library in C of that version, which answers every request for an API with none.
func runtimeOf(version string) string {
	return `
static const void *api(unsigned v) { return 0; }
static const char *version(void) { return "` + version + `"; }
static const struct { const void *(*api)(unsigned); const char *(*version)(void); } base = { api, version };
const void *OrtGetApiBase(void) { return &base; }`
}

func stamp(version string) string { return "VERS_" + version + " { global: *; };" }

// damaged returns the path of a copy of a library that change has been at.
func damaged(t *testing.T, library string, change func([]byte) []byte) string {
	t.Helper()
	content, err := os.ReadFile(library)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "libonnxruntime.so")
	if err := os.WriteFile(path, change(content), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// Libraries that a C compiler made: what is wrong with each is one sentence that names the file, never a crash.
func TestInspectLibraries(t *testing.T) {
	good := compile(t, runtimeOf("1.30.0"), stamp("1.30.0"))
	dependency := compile(t, "int f(void) { return 1; }", "")
	needy := compile(t, "int f(void); int g(void) { return f(); }\n"+runtimeOf("1.30.0"), "", "-Wl,--no-as-needed", dependency)
	if err := os.Remove(dependency); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, path, want string }{
		{"old, by its file", compile(t, runtimeOf("1.30.0"), stamp("1.20.1")),
			`version "1.20.1" is too old, want 1.24 or newer`},
		{"old, by its word", compile(t, runtimeOf("1.23.2"), ""), `version "1.23.2" is too old, want 1.24 or newer`},
		{"of no age", compile(t, runtimeOf("main"), ""), `version "main" is not known, want 1.24 or newer`},
		{"without the API", good, "does not have API 24"},
		{"something else", compile(t, "int f(void) { return 1; }", ""), "exports no OrtGetApiBase"},
		{"wants the entry point of others",
			compile(t, "int OrtGetApiBase(void); int f(void) { return OrtGetApiBase(); }", ""), "exports no OrtGetApiBase"},
		{"no base", compile(t, "void *OrtGetApiBase(void) { return 0; }", ""), "OrtGetApiBase returned nothing"},
		{"dependency missing", needy, "cannot be loaded: "},
		{"truncated", damaged(t, good, func(b []byte) []byte { return b[:len(b)/2] }), "a damaged one"},
		{"segment cut", damaged(t, good, func(b []byte) []byte { return moveSegment(t, b, 1<<40) }), "truncated: got "},
		{"segment past the last address", damaged(t, good, func(b []byte) []byte { return moveSegment(t, b, 1<<63-4096) }),
			"truncated: got "},
		{"other processor", damaged(t, good, func(b []byte) []byte { b[18], b[19] = byte(elf.EM_S390), 0; return b }),
			"made for another processor: got EM_S390"},
		{"executable", damaged(t, good, func(b []byte) []byte { b[16] = byte(elf.ET_EXEC); return b }),
			"not a shared library but ET_EXEC"},
		{"empty", damaged(t, good, func([]byte) []byte { return nil }), "not a shared library"},
		{"text", damaged(t, good, func([]byte) []byte { return bytes.Repeat([]byte("text\n"), 99) }), "not a shared library"},
	} {
		t.Run(test.name, func(t *testing.T) {
			library, err := inspect(test.path)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %+v, error %v; want one that says %q", library, err, test.want)
			}
			if !strings.HasPrefix(err.Error(), test.path+": ") || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q is not one line that begins with the path", err)
			}
		})
	}
}

// moveSegment makes the first loaded segment of a library begin at offset.
func moveSegment(t *testing.T, b []byte, offset uint64) []byte {
	t.Helper()
	file, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	const headerSize, entrySize = 64, 56 // of ELF64
	for i, segment := range file.Progs {
		if segment.Type == elf.PT_LOAD {
			binary.NativeEndian.PutUint64(b[headerSize+entrySize*i+8:], offset)
			return b
		}
	}
	t.Fatal("the library has no loaded segment")
	return nil
}

// A library that is too old by its file is never loaded: this one would end the process.
func TestInspectLoadsNoOldLibrary(t *testing.T) {
	path := compile(t, `#include <stdlib.h>
__attribute__((constructor)) static void loaded(void) { abort(); }`+runtimeOf("1.20.1"), stamp("1.20.1"))
	if _, err := inspect(path); err == nil || !strings.Contains(err.Error(), "too old") {
		t.Errorf("got error %v", err)
	}
}

// Whatever the bytes of a file, looking at it ends in a version or an error.
func FuzzCheckFile(f *testing.F) {
	library, err := os.ReadFile(compile(f, runtimeOf("1.30.0"), stamp("1.30.0"), "-s"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(library)
	f.Add([]byte("\x7fELF"))
	path := filepath.Join(f.TempDir(), "libonnxruntime.so")
	f.Fuzz(func(t *testing.T, content []byte) {
		if err := os.WriteFile(path, content, 0o666); err != nil {
			t.Fatal(err)
		}
		checkFile(path)
	})
}
