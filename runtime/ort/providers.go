//go:build cgo && !windows

package ort

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	onnxruntime "github.com/yalue/onnxruntime_go"
)

// sessionOptions returns o in ONNX Runtime's form. The caller destroys it.
func sessionOptions(library Library, o Options) (*onnxruntime.SessionOptions, error) {
	options, err := onnxruntime.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	if err := configure(options, library, o); err != nil {
		options.Destroy()
		return nil, err
	}
	return options, nil
}

func configure(options *onnxruntime.SessionOptions, library Library, o Options) error {
	levels := map[GraphOptimization]onnxruntime.GraphOptimizationLevel{
		OptimizeAll:      onnxruntime.GraphOptimizationLevelEnableAll,
		OptimizeExtended: onnxruntime.GraphOptimizationLevelEnableExtended,
		OptimizeBasic:    onnxruntime.GraphOptimizationLevelEnableBasic,
		OptimizeNone:     onnxruntime.GraphOptimizationLevelDisableAll,
	}
	level, ok := levels[o.GraphOptimization]
	if !ok {
		return fmt.Errorf("no graph optimization %d", o.GraphOptimization)
	}
	if o.IntraOpThreads < 0 || o.InterOpThreads < 0 {
		return fmt.Errorf("got %d and %d threads, want 0 or more", o.IntraOpThreads, o.InterOpThreads)
	}
	if err := options.SetGraphOptimizationLevel(level); err != nil {
		return err
	}
	if err := options.SetIntraOpNumThreads(o.IntraOpThreads); err != nil {
		return err
	}
	if o.InterOpThreads > 0 {
		if err := options.SetExecutionMode(onnxruntime.ExecutionModeParallel); err != nil {
			return err
		}
		if err := options.SetInterOpNumThreads(o.InterOpThreads); err != nil {
			return err
		}
	}
	if o.OptimizedModel != "" {
		if err := options.SetOptimizedModelFilePath(o.OptimizedModel); err != nil {
			return err
		}
	}
	switch o.Provider {
	case CPU, "":
		return nil // always there, and always the last resort of a node
	case CUDA:
		return appendCUDA(options, library)
	}
	return fmt.Errorf("no provider %q: want %s or %s", o.Provider, CPU, CUDA)
}

// appendCUDA asks for the CUDA provider, or says what it is that the library lacks.
func appendCUDA(options *onnxruntime.SessionOptions, library Library) error {
	if lack := cudaLack(library); lack != "" {
		return fmt.Errorf("provider cuda: %s; set %s to a library with CUDA", lack, LibraryEnv)
	}
	cuda, err := onnxruntime.NewCUDAProviderOptions()
	if err != nil {
		return fmt.Errorf("provider cuda: %w", cause(err))
	}
	defer cuda.Destroy()
	if err := options.AppendExecutionProviderCUDA(cuda); err != nil {
		return fmt.Errorf("provider cuda: %w", cause(err))
	}
	return nil
}

// cudaLack says what a library lacks to run on CUDA, in words, or nothing.
func cudaLack(library Library) string {
	if !slices.Contains(library.Providers, "CUDAExecutionProvider") {
		return fmt.Sprintf("%s (onnxruntime %s) was built without it and has %s",
			library.Path, library.Version, strings.Join(library.Providers, ", "))
	}
	for _, name := range []string{"libonnxruntime_providers_shared.so", "libonnxruntime_providers_cuda.so"} {
		path := filepath.Join(filepath.Dir(library.Path), name)
		if _, err := os.Stat(path); err != nil {
			return fmt.Sprintf("%s is missing beside the library", path)
		}
	}
	return ""
}
