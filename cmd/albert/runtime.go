package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"goalbert/runtime/ort"
)

func newRuntime() *cobra.Command {
	return parent("runtime", "The ONNX Runtime library", newRuntimeInstall())
}

func newRuntimeInstall() *cobra.Command {
	c := &cobra.Command{
		Use:   "install",
		Short: "Put ONNX Runtime " + ort.PinnedVersion + " into the user's cache",
		Long: "Put ONNX Runtime " + ort.PinnedVersion + " into the user's cache, where every command finds it: from the official release, or\n" +
			"from npm, or by pip, whichever has it first. Its SHA-256 must be the one that is pinned in this program. A library\n" +
			"that is there and whole is left alone. --gpu installs the build with CUDA 13 beside it, by pip, which is then\n" +
			"found first, and runs on the CPU too.",
		Args: arguments(cobra.NoArgs),
	}
	asJSON := jsonFlag(c)
	o := ort.InstallOptions{Failed: func(message string) { note(c, "%s", message) }}
	c.Flags().BoolVar(&o.GPU, "gpu", false, "the build with CUDA (250 MB to download)")
	c.Flags().StringVar(&o.ReleaseURL, "release-url", ort.ReleaseURL, "of the official releases, or of a mirror of them")
	c.RunE = func(c *cobra.Command, _ []string) error {
		installed, err := ort.Install(c.Context(), o)
		if err != nil {
			return err
		}
		return show(c, *asJSON, installed, func(w io.Writer) {
			if installed.Fetched {
				fmt.Fprintf(w, "installed %s from %s\n", installed.Path, installed.Source)
			} else {
				fmt.Fprintln(w, "there already:", installed.Path)
			}
		})
	}
	return c
}
