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
	Cgo         bool      `json:"cgo"`
	ONNXRuntime ort.Facts `json:"onnx_runtime"`
	Model       *placed   `json:"model,omitempty"` // of --model
}

// placed is a model, and which provider runs its nodes.
type placed struct {
	Path string `json:"path"`
	ort.Placement
	Fallen int `json:"fallen"` // nodes that another provider than the one that was asked for runs
}

func newDoctor() *cobra.Command {
	c := &cobra.Command{
		Use:   "doctor",
		Short: "What this machine has, what is missing, and the command that mends it",
		Long: "What this machine has, what is missing, and the command that mends it. With --provider, what that provider of\n" +
			"ONNX Runtime lacks. With --model, a run of one batch shows which provider runs each of the model's nodes; the flags\n" +
			"of a session, as --shape, --graph-level and --profile, are for that run.",
		Args: arguments(cobra.NoArgs),
	}
	asJSON := jsonFlag(c)
	o := &engineOptions{}
	o.addProvider(c)
	o.addThreads(c)
	o.addSession(c)
	path := c.Flags().String("model", "", "an .onnx file, of which nodes are counted by provider")
	shape := c.Flags().String("shape", "", "of that batch, as 8x128; the smallest that the model takes if empty")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if err := o.checkSession(); err != nil {
			return err
		}
		var dims []int
		var err error
		if *shape != "" {
			if dims, err = parseShape(*shape); err != nil {
				return err
			}
		}
		if *path == "" {
			for _, name := range modelFlags {
				if c.Flags().Changed(name) {
					return usagef("--%s is of a model's session; name the model with --model", name)
				}
			}
		}
		d := diagnosis{
			Program: "albert " + version, Go: goruntime.Version(), Platform: goruntime.GOOS + "/" + goruntime.GOARCH,
			Processors: goruntime.NumCPU(), Features: features(), KernelSet: native.KernelSet(), Precisions: precisions(),
			Cgo: ort.Cgo, ONNXRuntime: ort.Doctor(*o.library, o.sessionOptions().Provider),
		}
		if *path != "" {
			d.Model, err = o.place(*path, dims)
		}
		// What is missing explains why the model does not run, and is told in any case.
		if err := show(c, *asJSON, d, d.write); err != nil {
			return err
		}
		return err
	}
	return c
}

// modelFlags do nothing without a model.
var modelFlags = []string{
	"shape", "profile", "optimized-model", "warm-up", "graph-level", "no-arena", "inter-op-threads", "threads", "provider-option", "no-cpu-fallback",
}

// place runs one batch of the shape, or of the smallest.
func (o *engineOptions) place(path string, shape []int) (*placed, error) {
	p, err := ort.Place(path, o.sessionOptions(), shape)
	if err != nil {
		return nil, err
	}
	return &placed{path, p, p.Fallen()}, nil
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
		"avx512vnni": cpu.X86.HasAVX512VNNI, "avxvnni": cpu.X86.HasAVXVNNI,
		"avx512bf16": cpu.X86.HasAVX512BF16, "asimd": cpu.ARM64.HasASIMD,
	} {
		if has {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// hasVNNI reports whether the processor adds products of eight bits in 32 bits, as export's target vnni needs.
func hasVNNI() bool { return cpu.X86.HasAVX512VNNI || cpu.X86.HasAVXVNNI }

func (d diagnosis) write(w io.Writer) {
	fmt.Fprintf(w, "%s, %s, %s, %d processors\n", d.Program, d.Go, d.Platform, d.Processors)
	fmt.Fprintf(w, "processor features: %s\n", strings.Join(d.Features, " "))
	fmt.Fprintf(w, "kernels: %s\n", d.KernelSet)
	fmt.Fprintf(w, "precisions of training: %s\n", strings.Join(d.Precisions, " "))
	fmt.Fprintf(w, "built with cgo: %v\n", d.Cgo)
	facts := d.ONNXRuntime
	if l := facts.Library; l != nil {
		fmt.Fprintf(w, "ONNX Runtime: %s from %s, %s\n", l.Version, l.Origin, l.Path)
	}
	fmt.Fprintf(w, "cache: %s\n", facts.CachePath)
	for _, p := range facts.Providers {
		if p.Loadable {
			fmt.Fprintf(w, "provider %s: can be loaded\n", p.Provider)
		} else {
			fmt.Fprintf(w, "provider %s: cannot be loaded: %s\n", p.Provider, p.Lack.What)
		}
	}
	if facts.NVIDIADriver != "" {
		fmt.Fprintf(w, "NVIDIA driver: %s\n", facts.NVIDIADriver)
	}
	if d.Model != nil {
		fmt.Fprintf(w, "%s in %s: %v\n", d.Model.Path, d.Model.Engine, d.Model.Placement)
	}
	for _, lack := range facts.Lacks {
		fmt.Fprintf(w, "missing: %s\n  mend: %s\n", lack.What, lack.Mend)
	}
	if len(facts.Lacks) == 0 {
		fmt.Fprintln(w, "nothing is missing")
	}
}
