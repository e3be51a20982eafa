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
		Short: "Put ONNX Runtime " + ort.PinnedVersion + " for the CPU into the user's cache, by way of npm",
		Args:  arguments(cobra.NoArgs),
	}
	asJSON := jsonFlag(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		path, fetched, err := ort.Install(c.Context())
		if err != nil {
			return err
		}
		result := struct {
			Path    string `json:"path"`
			Fetched bool   `json:"fetched"`
		}{path, fetched}
		return show(c, *asJSON, result, func(w io.Writer) {
			if fetched {
				fmt.Fprintln(w, "installed", path)
			} else {
				fmt.Fprintln(w, "there already:", path)
			}
		})
	}
	return c
}
