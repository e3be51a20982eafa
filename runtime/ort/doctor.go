package ort

import (
	"os"
	"strings"
)

// Facts are what this machine has of ONNX Runtime.
type Facts struct {
	Library        *Library        `json:"library"`   // nil where none can be used
	Providers      []ProviderFacts `json:"providers"` // of that library
	PinnedVersion  string          `json:"pinned_version"`
	MinimumVersion string          `json:"minimum_version"`
	CachePath      string          `json:"cache_path"`
	NVIDIADriver   string          `json:"nvidia_driver"` // its version; empty where there is none
	Lacks          []Lack          `json:"lacks"`         // empty where nothing is missing
}

// ProviderFacts say whether a provider that the library was built with can be loaded on this machine.
type ProviderFacts struct {
	Provider Provider `json:"provider"`
	Loadable bool     `json:"loadable"`
	Lack     *Lack    `json:"lack,omitempty"`
}

// Lack is one thing that is missing, and the one command or setting that mends it.
type Lack struct {
	What string `json:"what"`
	Mend string `json:"mend"`
}

// driverVersionFile is where NVIDIA's driver tells its version.
const driverVersionFile = "/proc/driver/nvidia/version"

// Doctor looks at the library that [Find] leads to with option, and at the providers that it was built with. What
// provider lacks is among the lacks, and where NVIDIA's driver is loaded, what CUDA lacks; that another provider of the
// library cannot be loaded is only told of the provider.
func Doctor(option string, provider Provider) Facts {
	facts := Facts{PinnedVersion: PinnedVersion, MinimumVersion: MinimumVersion, Providers: []ProviderFacts{}, Lacks: []Lack{}}
	if path, err := CachePath(); err == nil {
		facts.CachePath = path
	}
	if text, err := os.ReadFile(driverVersionFile); err == nil {
		facts.NVIDIADriver = driverVersion(string(text))
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
	for _, name := range library.Providers {
		p := ProviderFacts{Provider: shortName(name), Loadable: true}
		if lack, ok := library.lackOfFiles(name); ok {
			p.Loadable, p.Lack = false, &lack
		}
		facts.Providers = append(facts.Providers, p)
	}
	wanted := []Provider{provider}
	if facts.NVIDIADriver != "" && provider != CUDA {
		wanted = append(wanted, CUDA)
	}
	for _, p := range wanted {
		if lack, ok := library.lack(p); ok {
			lack.What = "ort: provider " + string(p) + ": " + lack.What
			facts.Lacks = append(facts.Lacks, lack)
		}
	}
	return facts
}

// driverVersion returns the first word of the file's text that is a version: "580.95.05".
func driverVersion(text string) string {
	for _, word := range strings.Fields(text) {
		if strings.Trim(word, "0123456789.") == "" && strings.Contains(word, ".") {
			return word
		}
	}
	return "of unknown version"
}

// mend returns what gets a usable library where option or the environment names one that is not.
func mend(option string) string {
	if option == "" && os.Getenv(LibraryEnv) != "" {
		return "unset " + LibraryEnv + "; " + InstallCommand
	}
	return InstallCommand
}
