package main

import (
	"fmt"
	"io"
	goruntime "runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/cpu"

	"goalbert/native"
	"goalbert/runtime/ort"
)

// diagnosis is what albert doctor finds.
type diagnosis struct {
	Program     string    `json:"program"`
	Go          string    `json:"go"`
	Platform    string    `json:"platform"`
	Processors  int       `json:"processors"`
	Features    []string  `json:"features"` // of the processor, that kernels may use
	KernelSet   string    `json:"kernel_set"`
	Precisions  []string  `json:"precisions"`
	ONNXRuntime ort.Facts `json:"onnx_runtime"`
}

func newDoctor() *cobra.Command {
	c := &cobra.Command{
		Use:   "doctor",
		Short: "What this machine has, what is missing, and the command that mends it",
		Args:  arguments(cobra.NoArgs),
	}
	asJSON := jsonFlag(c)
	library := libraryFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		d := diagnosis{
			Program: "albert " + version, Go: goruntime.Version(), Platform: goruntime.GOOS + "/" + goruntime.GOARCH,
			Processors: goruntime.NumCPU(), Features: features(), KernelSet: native.KernelSet(), Precisions: precisions(),
			ONNXRuntime: ort.Doctor(*library),
		}
		return show(c, *asJSON, d, d.write)
	}
	return c
}

// precisions returns those that pretrain takes on this machine.
func precisions() []string {
	var list []string
	for _, p := range []native.Precision{native.FP32, native.BF16} {
		if p.Available() == nil {
			list = append(list, p.String())
		}
	}
	return list
}

// features lists what the processor has of what matters here.
func features() []string {
	list := []string{}
	for name, has := range map[string]bool{
		"avx2": cpu.X86.HasAVX2, "fma": cpu.X86.HasFMA, "avx512f": cpu.X86.HasAVX512F, "avx512bw": cpu.X86.HasAVX512BW,
		"avx512vnni": cpu.X86.HasAVX512VNNI, "avx512bf16": cpu.X86.HasAVX512BF16, "asimd": cpu.ARM64.HasASIMD,
	} {
		if has {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

func (d diagnosis) write(w io.Writer) {
	fmt.Fprintf(w, "%s, %s, %s, %d processors\n", d.Program, d.Go, d.Platform, d.Processors)
	fmt.Fprintf(w, "processor features: %s\n", strings.Join(d.Features, " "))
	fmt.Fprintf(w, "kernels: %s\n", d.KernelSet)
	fmt.Fprintf(w, "precisions of training: %s\n", strings.Join(d.Precisions, " "))
	facts := d.ONNXRuntime
	if l := facts.Library; l != nil {
		fmt.Fprintf(w, "ONNX Runtime: %s from %s, %s\n", l.Version, l.Origin, l.Path)
		fmt.Fprintf(w, "providers: %s\n", strings.Join(l.Providers, " "))
	}
	for _, lack := range facts.Lacks {
		fmt.Fprintf(w, "missing: %s\n  mend: %s\n", lack.What, lack.Mend)
	}
	if len(facts.Lacks) == 0 {
		fmt.Fprintln(w, "nothing is missing")
	}
}
