//go:build cgo && !windows

package ort

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// The beginning of ONNX Runtime's C API, whose layout is promised to stay: a table that only grows at its end.
typedef struct {
	const void *const *(*get_api)(uint32_t version);
	const char *(*get_version)(void);
} api_base;

enum { api_version = 24, get_available_providers = 125, release_available_providers = 126 };

typedef void *(*get_providers)(char ***names, int *count);
typedef void *(*release_providers)(char **names, int count);

// open_base loads the library at path, or says why not in *reason, which the caller frees. A library stays loaded even
// if it turns out to be unusable: its destructors are not ours to trust.
static const api_base *open_base(const char *path, char **reason) {
	void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
	const api_base *(*entry)(void) = library ? (const api_base *(*)(void))dlsym(library, "OrtGetApiBase") : NULL;
	if (!entry) {
		const char *message = dlerror();
		*reason = strdup(message ? message : "no OrtGetApiBase");
		return NULL;
	}
	const api_base *base = entry();
	if (!base) *reason = strdup("OrtGetApiBase returned nothing");
	return base;
}

static const char *version_of(const api_base *base) { return base->get_version(); }

// providers_of returns the library's provider names, or NULL if it does not have the API.
static char **providers_of(const api_base *base, int *count) {
	const void *const *api = base->get_api(api_version);
	char **names = NULL;
	if (!api || ((get_providers)api[get_available_providers])(&names, count)) return NULL;
	return names;
}

static void release(const api_base *base, char **names, int count) {
	((release_providers)base->get_api(api_version)[release_available_providers])(names, count);
}
*/
import "C"

import (
	"errors"
	"fmt"
	"strings"
	"unsafe"
)

// probe loads the library at path and asks its version and its providers.
func probe(path string) (version string, providers []string, err error) {
	err = keepHandlers(func() (err error) {
		version, providers, err = ask(path)
		return err
	})
	return version, providers, err
}

func ask(path string) (version string, providers []string, err error) {
	cPath := C.CString(path)
	defer C.free(unsafe.Pointer(cPath))
	var reason *C.char
	base := C.open_base(cPath, &reason)
	if base == nil {
		defer C.free(unsafe.Pointer(reason))
		message := strings.TrimPrefix(C.GoString(reason), path+": ")
		return "", nil, fmt.Errorf("cannot be loaded: %s", message)
	}
	version = C.GoString(C.version_of(base))
	if err := checkVersion(version); err != nil {
		return "", nil, err
	}
	var count C.int
	names := C.providers_of(base, &count)
	if names == nil {
		return "", nil, errors.New("does not have API 24 of ONNX Runtime")
	}
	for _, name := range unsafe.Slice(names, int(count)) {
		providers = append(providers, C.GoString(name))
	}
	C.release(base, names, count)
	return version, providers, nil
}
