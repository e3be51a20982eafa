package main

import (
	"fmt"
	"slices"

	"goalbert/export"
	"goalbert/parity"
	"goalbert/runtime/ort"
)

// variant is an engine with a provider.
type variant struct {
	engine  string
	options *engineOptions
	lack    string // what is missing for it to run anything; empty where nothing is
}

// variants are the engines that were asked for, ONNX Runtime on CUDA too where its library was built with it and no provider
// was named.
func (p *proof) variants() []variant {
	var list []variant
	for _, engine := range p.engine.engines {
		list = append(list, variant{engine: engine, options: p.engine})
		if engine == onnxRuntime && !p.command.Flags().Changed("provider") {
			list = append(list, onCUDA(p.engine, ort.Doctor(*p.engine.library, ort.CPU).Providers)...)
		}
	}
	return list
}

// onCUDA is ONNX Runtime on CUDA, if that is among a library's providers. One that cannot be loaded is said not to have run.
func onCUDA(o *engineOptions, providers []ort.ProviderFacts) []variant {
	i := slices.IndexFunc(providers, func(f ort.ProviderFacts) bool { return f.Provider == ort.CUDA })
	if i < 0 {
		return nil
	}
	cuda := *o
	cuda.provider = string(ort.CUDA)
	v := variant{engine: onnxRuntime, options: &cuda}
	if facts := providers[i]; !facts.Loadable {
		v.lack = "the provider cannot be loaded"
		if facts.Lack != nil {
			v.lack = fmt.Sprintf("%s; mend: %s", facts.Lack.What, facts.Lack.Mend)
		}
	}
	return []variant{v}
}

func (v variant) name() string {
	if v.engine == onnxRuntime {
		return fmt.Sprintf("%s (%s)", v.engine, v.options.provider)
	}
	return v.engine
}

// cannotRun says why the engine cannot run a file of that form; empty where it can.
func (v variant) cannotRun(o export.Options, e parity.Export) string {
	switch {
	case v.lack != "":
		return v.lack
	case v.engine == onnxGo && (o.Precision != export.FP32 || o.Layers != export.Unrolled || o.Fuse != ""):
		return "it reads fp32 with the layers unrolled, in standard operators"
	case v.engine == onnxGo && len(e.Files) > 1:
		return "it reads files that have their weights in them, without external data"
	case v.engine == onnxRuntime && v.options.provider == string(ort.CUDA) && o.Precision == export.INT8:
		return "it has no int8 products on CUDA"
	}
	return ""
}
