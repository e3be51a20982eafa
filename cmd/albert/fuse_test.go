package main

import (
	"path/filepath"
	"strings"
	"testing"

	"goalbert/models"
)

// Fused operators are asked for by --fuse, named by inspect, what the checkpoint computes, and not for onnx-go.
func TestFusedExport(t *testing.T) {
	dir := checkpointOf(t, models.ForMaskedLM)
	file := filepath.Join(t.TempDir(), "model.onnx")
	for _, precision := range []string{"fp32", "fp16"} {
		must(t, "export", dir, "--out", file, "--fuse", "ort", "--precision", precision)
		if text := must(t, "inspect", file); !strings.Contains(text, "fused_for: ort") || !strings.Contains(text, "com.microsoft.MultiHeadAttention(") {
			t.Errorf("inspect says\n%.500s", text)
		}
		albert(t, "", "parity", dir, file, "--engine", "onnx-go").fails(t, "the model is fused for ONNX Runtime", "export it without fusion")
		if r := albert(t, "", "doctor", "--json"); !strings.Contains(r.stdout, `"library": null`) {
			must(t, "parity", dir, file, "--engine", "onnxruntime")
		}
	}
	for want, flags := range map[string][]string{
		"fuse is \"cuda\", want ort":                      {"--fuse", "cuda"},
		"fused operators are for layers unrolled":         {"--fuse", "ort", "--layers", "loop"},
		"fused operators are for precision fp32 and fp16": {"--fuse", "ort", "--precision", "int8"},
	} {
		r := albert(t, "", append([]string{"export", dir, "--out", file}, flags...)...)
		if r.code != exitUsage || !strings.Contains(r.stderr, want) {
			t.Errorf("%v: exit code %d, %q; want %q", flags, r.code, r.stderr, want)
		}
	}
}
