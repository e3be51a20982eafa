package ort

import "os"

// Facts are what this machine has of ONNX Runtime.
type Facts struct {
	Library        *Library `json:"library"` // nil where none can be used
	PinnedVersion  string   `json:"pinned_version"`
	MinimumVersion string   `json:"minimum_version"`
	CachePath      string   `json:"cache_path"`
	Lacks          []Lack   `json:"lacks"` // empty where nothing is missing
}

// Lack is one thing that is missing, and the one command or setting that mends it.
type Lack struct {
	What string `json:"what"`
	Mend string `json:"mend"`
}

// Doctor looks at the library that [Find] leads to with option. Where an NVIDIA device is present it also says what
// the CUDA provider lacks.
func Doctor(option string) Facts {
	facts := Facts{PinnedVersion: PinnedVersion, MinimumVersion: MinimumVersion, Lacks: []Lack{}}
	if path, err := CachePath(); err == nil {
		facts.CachePath = path
	}
	if err := buildLack(); err != nil {
		facts.Lacks = append(facts.Lacks, Lack{What: err.Error(), Mend: "CGO_ENABLED=1 make build"})
	}
	library, err := Find(option)
	if err != nil {
		facts.Lacks = append(facts.Lacks, Lack{What: err.Error(), Mend: mend(option)})
		return facts
	}
	facts.Library = &library
	if library.Origin == FromCache {
		if lack, ok := cacheLack(library.Path); ok {
			facts.Lacks = append(facts.Lacks, lack)
		}
	}
	if _, err := os.Stat("/dev/nvidiactl"); err == nil {
		if lack := cudaLack(library); lack != "" {
			facts.Lacks = append(facts.Lacks, Lack{
				What: "ort: provider cuda: " + lack,
				Mend: "export " + LibraryEnv + "=PATH of a library with CUDA",
			})
		}
	}
	return facts
}

// mend returns what gets a usable library where option or the environment names one that is not.
func mend(option string) string {
	if option == "" && os.Getenv(LibraryEnv) != "" {
		return "unset " + LibraryEnv + "; " + InstallCommand
	}
	return InstallCommand
}
