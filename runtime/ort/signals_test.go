//go:build cgo && linux

package ort

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"goalbert/onnx"
	"goalbert/runtime"
)

// overwriting is a library in C that is ONNX Runtime, the library at $REAL_LIBRARY, but that sets signal handlers when it
// is loaded and when it makes a session, as the libraries of CUDA do; these handlers end the process. Each time it
// leaves a mark in the file $MARKS.
const overwriting = `
#include <dlfcn.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
	const void *const *(*get_api)(uint32_t);
	const char *(*get_version)(void);
} base;

enum { create_session = 7, functions = 400 };

static const base *real;
static const void *table[functions];
static void *(*real_create_session)(void *, const char *, void *, void **);

static void end(int s) { _exit(66); }

static void overwrite(const char *mark) {
	struct sigaction a = { .sa_handler = end };
	sigaction(SIGINT, &a, NULL);
	sigaction(SIGSEGV, &a, NULL);
	FILE *f = fopen(getenv("MARKS"), "a");
	fputs(mark, f);
	fclose(f);
}

__attribute__((constructor)) static void loaded(void) { if (getenv("MARKS")) overwrite("loaded "); }

static void *mine(void *environment, const char *path, void *options, void **session) {
	overwrite("session ");
	return real_create_session(environment, path, options, session);
}

static const void *const *get_api(uint32_t version) {
	const void *const *api = real->get_api(version);
	if (!api) return NULL;
	memcpy(table, api, sizeof table);
	real_create_session = (void *(*)(void *, const char *, void *, void **))api[create_session];
	table[create_session] = (const void *)mine;
	return table;
}

static const char *get_version(void) { return real->get_version(); }

static const base ours = { get_api, get_version };

const void *OrtGetApiBase(void) {
	void *library = dlopen(getenv("REAL_LIBRARY"), RTLD_NOW | RTLD_LOCAL);
	real = library ? ((const base *(*)(void))dlsym(library, "OrtGetApiBase"))() : NULL;
	return real ? &ours : NULL;
}
`

// Signals reach Go after a library has set handlers of its own, and a nil pointer is still a panic that can be
// recovered from. The test runs itself in a process of its own: a process has one library.
func TestSignalsReachGo(t *testing.T) {
	if library := os.Getenv("OVERWRITING_LIBRARY"); library != "" {
		useOverwriting(t, library)
		return
	}
	real, err := Find("")
	if err != nil {
		t.Skipf("needs ONNX Runtime: %v", err)
	}
	library := compile(t, overwriting, stamp(real.Version), "-ldl")
	marks := filepath.Join(t.TempDir(), "marks")
	command := exec.Command(os.Args[0], "-test.run", "^TestSignalsReachGo$", "-test.v")
	command.Env = append(os.Environ(), "OVERWRITING_LIBRARY="+library, "REAL_LIBRARY="+real.Path, "MARKS="+marks)
	if output, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
	got, err := os.ReadFile(marks)
	if text := string(got); err != nil || !strings.HasPrefix(text, "loaded ") || !strings.Contains(text, "session ") {
		t.Errorf("the library left the marks %q, error %v; want that it was loaded, and a session", text, err)
	}
}

func useOverwriting(t *testing.T, library string) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT)
	s, err := Open(identity(t), Options{Library: library})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	select {
	case <-signals:
	case <-time.After(time.Minute):
		t.Error("the signal has not arrived")
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("a nil pointer was no panic")
			}
		}()
		var facts Facts
		_ = facts.Library.Path
	}()
	in := map[string]runtime.Tensor{"x": runtime.NewTensor([]float32{1, 2}, 2)}
	if out, err := s.Run(context.Background(), in); err != nil || out["y"].Data.([]float32)[1] != 2 {
		t.Errorf("got %v, error %v", out, err)
	}
}

// identity writes a model whose output is its input.
func identity(t *testing.T) string {
	t.Helper()
	b := onnx.NewBuilder("identity")
	b.Node("Identity", "y", []string{b.Input("x", onnx.TensorProto_FLOAT, "size")})
	b.Output("y", onnx.TensorProto_FLOAT, "size")
	var file bytes.Buffer
	if err := onnx.Write(&file, b.Model(18)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "model.onnx")
	if err := os.WriteFile(path, file.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}
