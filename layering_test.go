package goalbert_test

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mayImport lists every package and which others of ours it may import, besides internal/numeric, which anyone may.
// docs/design.md says why. An arrow that is not here is a defect.
var mayImport = map[string][]string{
	"models":           {},
	"tokenizer":        {},
	"onnx":             {},
	"native/kernel":    {},
	"runtime":          {},
	"internal/numeric": {},
	"internal/machine": {},
	"corpus":           {"tokenizer"},
	"tasks":            {"models", "tokenizer"},
	"native":           {"models", "native/kernel"},
	"train":            {"models", "tokenizer", "corpus", "tasks"},
	"export":           {"models", "onnx"},
	"runtime/ort":      {"runtime", "onnx"},
	"runtime/gonnx":    {"runtime", "onnx", "native/kernel"},
	"runtime/native":   {"runtime", "models", "native"},
	"evaluate":         {"models", "tokenizer", "tasks", "runtime", "export"},
	"parity":           {"models", "native", "export", "onnx", "runtime", "evaluate"},
	"cmd/albert": {
		"models", "tokenizer", "onnx", "runtime", "corpus", "native", "train", "export", "runtime/ort", "runtime/gonnx",
		"runtime/native", "evaluate", "parity", "tasks", "internal/machine",
	},
	"tools/bench": {
		"models", "tokenizer", "corpus", "native", "native/kernel", "export", "runtime", "runtime/native", "runtime/ort",
		"evaluate", "internal/machine",
	},
	"tools/collapse": {"models", "tokenizer", "tasks", "export", "onnx", "evaluate", "runtime/ort"},
	"tools/demo":     {},
}

// goPackage is what go list says of one.
type goPackage struct {
	ImportPath string
	Dir        string
	Name       string
	GoFiles    []string
	CgoFiles   []string
	Imports    []string
}

func listPackages(t *testing.T) []goPackage {
	t.Helper()
	command := exec.Command("go", "list", "-json=ImportPath,Dir,Name,GoFiles,CgoFiles,Imports", "./...")
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []goPackage
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := decoder.Decode(&p); err == io.EOF {
			return packages
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		if len(p.GoFiles)+len(p.CgoFiles) > 0 { // the root has tests alone
			packages = append(packages, p)
		}
	}
}

func TestLayering(t *testing.T) {
	const module = "goalbert/"
	seen := map[string]bool{}
	for _, p := range listPackages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		allowed, known := mayImport[name]
		if !known {
			t.Errorf("package %s is not in the table of layering_test.go; add it there and in docs/design.md", name)
		}
		seen[name] = true
		for _, imported := range p.Imports {
			ours, ok := strings.CutPrefix(imported, module)
			if ok && ours != "internal/numeric" && !slices.Contains(allowed, ours) {
				t.Errorf("%s imports %s, and may import only %v", name, ours, allowed)
			}
		}
	}
	for name := range mayImport {
		if !seen[name] {
			t.Errorf("package %s is in the table of layering_test.go, but not in the tree", name)
		}
	}
}

// Each outside library that stands for a whole engine is confined to one package, so that it can be replaced there.
func TestEnginesAreConfined(t *testing.T) {
	for _, confined := range []struct{ library, to string }{
		{"github.com/yalue/onnxruntime_go", "goalbert/runtime/ort"},
		{"github.com/owulveryck/onnx-go", "goalbert/runtime/gonnx"},
		{"gorgonia.org/tensor", "goalbert/runtime/gonnx"},
	} {
		for _, p := range listPackages(t) {
			for _, imported := range p.Imports {
				inside := imported == confined.library || strings.HasPrefix(imported, confined.library+"/")
				if inside && p.ImportPath != confined.to {
					t.Errorf("%s imports %s, which belongs to %s alone", p.ImportPath, imported, confined.to)
				}
			}
		}
	}
}

// Every package introduces itself in doc.go; the tools, of one file each, do so there.
func TestEveryPackageHasDoc(t *testing.T) {
	for _, p := range listPackages(t) {
		if strings.HasPrefix(p.ImportPath, "goalbert/tools/") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(p.Dir, "doc.go"))
		if err != nil {
			t.Errorf("%s has no doc.go", p.ImportPath)
			continue
		}
		opening := "// Package " + p.Name + " "
		if p.Name == "main" {
			opening = "// Command " + filepath.Base(p.Dir) + " "
		}
		if !strings.Contains(string(text), opening) {
			t.Errorf("%s: doc.go has no comment that begins with %q", p.ImportPath, opening)
		}
	}
}

// gorgonia.org/tensor after v0.9.3 imports a package that refuses to start under new versions of Go.
func TestTensorStaysPinned(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", "gorgonia.org/tensor").Output()
	if got := strings.TrimSpace(string(out)); err != nil || got != "v0.9.3" {
		t.Errorf("gorgonia.org/tensor is %s (error %v), want v0.9.3", got, err)
	}
}
