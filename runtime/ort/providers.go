//go:build cgo && !windows

package ort

import (
	"errors"
	"fmt"
	"maps"

	onnxruntime "github.com/yalue/onnxruntime_go"
)

// noCPUFallback is ONNX Runtime's key for [Options.NoCPUFallback].
const noCPUFallback = "session.disable_cpu_ep_fallback"

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
	if o.NoArena {
		if err := options.SetCpuMemArena(false); err != nil {
			return err
		}
	}
	if o.OptimizedModel != "" {
		if err := options.SetOptimizedModelFilePath(o.OptimizedModel); err != nil {
			return err
		}
	}
	if o.NoCPUFallback {
		if err := options.AddSessionConfigEntry(noCPUFallback, "1"); err != nil {
			return err
		}
	}
	return appendProvider(options, library, o)
}

// appendProvider asks for the provider, or says what it is that the library lacks.
func appendProvider(options *onnxruntime.SessionOptions, library Library, o Options) error {
	if lack, ok := library.lack(o.Provider); ok {
		return fmt.Errorf("provider %s: %s; mend: %s", o.Provider, lack.What, lack.Mend)
	}
	name, _ := library.provider(o.Provider)
	if name == cpuProvider { // always there, and always the last resort of a node
		if len(o.ProviderOptions) > 0 {
			return errors.New("provider cpu takes no options")
		}
		return nil
	}
	if err := appendNamed(options, name, o.ProviderOptions); err != nil {
		return fmt.Errorf("provider %s: %w", o.Provider, cause(err))
	}
	return nil
}

func appendNamed(options *onnxruntime.SessionOptions, name string, settings map[string]string) error {
	switch name {
	case cudaProvider:
		cuda, err := onnxruntime.NewCUDAProviderOptions()
		if err != nil {
			return err
		}
		defer cuda.Destroy()
		settings = maps.Clone(settings)
		if settings == nil {
			settings = map[string]string{}
		}
		if _, ok := settings["use_tf32"]; !ok {
			settings["use_tf32"] = "0"
		}
		if err := cuda.Update(settings); err != nil {
			return err
		}
		return options.AppendExecutionProviderCUDA(cuda)
	case tensorRTProvider:
		tensorRT, err := onnxruntime.NewTensorRTProviderOptions()
		if err != nil {
			return err
		}
		defer tensorRT.Destroy()
		if err := tensorRT.Update(settings); err != nil {
			return err
		}
		return options.AppendExecutionProviderTensorRT(tensorRT)
	}
	return options.AppendExecutionProvider(name, settings)
}
