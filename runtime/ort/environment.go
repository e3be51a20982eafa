//go:build cgo && !windows

package ort

import (
	"fmt"
	"os"
	"sync"

	onnxruntime "github.com/yalue/onnxruntime_go"
)

// environment is ONNX Runtime's process-wide state. It is made once and stays: sessions of any part of the program use
// it until the end.
var environment struct {
	sync.Mutex
	library Library // the loaded one; its Path is empty before
}

// Load loads the library that option leads to, which Open does as well, the first time; so the time of an Open after it is
// the model's own.
func Load(option string) (Library, error) { return load(option) }

// load makes the environment on the library that option leads to, or returns the one that the process already has.
func load(option string) (Library, error) {
	library, err := Find(option)
	if err != nil {
		return Library{}, err
	}
	environment.Lock()
	defer environment.Unlock()
	if loaded := environment.library; loaded.Path != "" {
		if !sameFile(loaded.Path, library.Path) {
			return Library{}, fmt.Errorf("ort: load library: %s: this process already runs %s, and can run only one",
				library.Path, loaded.Path)
		}
		return loaded, nil
	}
	onnxruntime.SetSharedLibraryPath(library.Path)
	// Every failure reaches us as an error; ONNX Runtime's own log would only repeat it on standard error.
	err = keepHandlers(func() error { return onnxruntime.InitializeEnvironment(onnxruntime.WithLogLevelFatal()) })
	if err != nil {
		return Library{}, fmt.Errorf("ort: load library: %s: %w", library.Path, cause(err))
	}
	environment.library = library
	return library, nil
}

func sameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return a == b || errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// Cgo says whether this build can run ONNX Runtime.
const Cgo = true

// buildLack says what this build lacks to run ONNX Runtime: nothing.
func buildLack() error { return nil }
