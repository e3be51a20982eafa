//go:build cgo && !windows

package ort

/*
#include <dlfcn.h>
#include <stdlib.h>

static int can_load(const char *name) { return dlopen(name, RTLD_LAZY | RTLD_GLOBAL) != NULL; }
*/
import "C"

import (
	"os"
	"path/filepath"
	"unsafe"
)

// preload loads the named libraries, from where the loader looks or else from dirs, and returns the names of those that
// cannot be loaded. A library that is loaded satisfies all that need it by its name.
func preload(names, dirs []string) (missing []string) {
	keepHandlers(func() error {
		for _, name := range names {
			if !loadFrom(name, dirs) {
				missing = append(missing, name)
			}
		}
		return nil
	})
	return missing
}

func loadFrom(name string, dirs []string) bool {
	if canLoad(name) {
		return true
	}
	for _, dir := range dirs {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil && canLoad(path) {
			return true
		}
	}
	return false
}

func canLoad(name string) bool {
	cName := C.CString(name)
	defer C.free(unsafe.Pointer(cName))
	return C.can_load(cName) != 0
}
