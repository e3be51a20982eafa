package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// doctor --model counts the nodes of a run by provider, and keeps the profile and the graph where they are asked for.
func TestDoctorModel(t *testing.T) {
	if r := albert(t, "", "doctor", "--json"); strings.Contains(r.stdout, `"library": null`) {
		t.Skip("needs ONNX Runtime")
	}
	p := newProject(t)
	dir, file, profile, graph := p.path("checkpoint"), p.path("model.onnx"), p.path("profile.json"), p.path("graph.onnx")
	checkpoint(t, dir, nil)
	must(t, "export", dir, "--out", file)
	var facts struct {
		Model struct {
			Engine    string
			Provider  string
			Fallen    int
			Providers []struct {
				Provider  string
				Nodes     int
				Operators map[string]int
			}
		}
	}
	decode(t, must(t, "doctor", "--json", "--model", file, "--shape", "2x5", "--profile", profile, "--optimized-model", graph), &facts)
	m := facts.Model
	if len(m.Providers) != 1 || m.Fallen != 0 || m.Provider != "CPUExecutionProvider" || m.Providers[0].Provider != m.Provider ||
		m.Providers[0].Nodes < 20 || m.Providers[0].Operators["LayerNormalization"] == 0 || !strings.HasPrefix(m.Engine, "onnxruntime ") {
		t.Errorf("got %+v, want all nodes on the CPU", m)
	}
	var events []json.RawMessage
	text, err := os.ReadFile(profile)
	if err != nil || json.Unmarshal(text, &events) != nil || len(events) < 20 {
		t.Errorf("the profile has %d events, error %v", len(events), err)
	}
	if _, err := os.Stat(graph); err != nil {
		t.Error(err)
	}
	albert(t, "", "doctor", "--model", file, "--shape", "1x999").fails(t, file, "warm-up: shape [1 999]")
	albert(t, "", "doctor", "--model", file, "--provider", "tpu").fails(t, "provider tpu: ", "was built without it and has ")
}

// What is asked of ONNX Runtime is checked before anything is opened.
func TestSessionFlags(t *testing.T) {
	for want, flags := range map[string][]string{
		"--no-cpu-fallback is for a provider": {"--no-cpu-fallback"},
		`graph level is "most"`:               {"--graph-level", "most"},
		`shape is "8*128"`:                    {"--warm-up", "1x8,8*128"},
		`shape is "0x8"`:                      {"--model", "m.onnx", "--shape", "0x8"},
		"inter-op-threads is -1":              {"--inter-op-threads", "-1"},
		// Without a model these would do nothing.
		"--shape is of a model's session; name the model with --model": {"--shape", "1x8"},
		"--profile is of a model's":                                    {"--profile", "profile.json"},
		"--optimized-model is of a model's":                            {"--optimized-model", "graph.onnx"},
		"--warm-up is of a model's":                                    {"--warm-up", "1x8"},
		"--graph-level is of a model's":                                {"--graph-level", "none"},
		"--no-arena is of a model's":                                   {"--no-arena"},
		"--inter-op-threads is of a model's":                           {"--inter-op-threads", "2"},
		"--threads is of a model's":                                    {"--threads", "2"},
		"--provider-option is of a model's":                            {"--provider-option", "device_id=1"},
		"--no-cpu-fallback is of a model's":                            {"--no-cpu-fallback", "--provider", "cuda"},
	} {
		r := albert(t, "", append([]string{"doctor"}, flags...)...)
		if r.code != exitUsage || !strings.Contains(r.stderr, want) {
			t.Errorf("%v: exit code %d, %q; want %d and %q", flags, r.code, r.stderr, exitUsage, want)
		}
	}
}

// Why a model does not run is told after what is missing, which may be the reason.
func TestDoctorModelWithoutLibrary(t *testing.T) {
	p := newProject(t)
	dir, file := p.path("checkpoint"), p.path("model.onnx")
	checkpoint(t, dir, nil)
	must(t, "export", dir, "--out", file)
	library := p.path("libonnxruntime.so")
	r := albert(t, "", "doctor", "--model", file, "--library", library)
	r.fails(t, library, "no such file")
	for _, want := range []string{"\nkernels: ", "\nmissing: ort: find ONNX Runtime: ", "\n  mend: albert runtime install\n"} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("%q does not say %q", r.stdout, want)
		}
	}
	r = albert(t, "", "doctor", "--model", file, "--library", library, "--json")
	r.fails(t, library, "no such file")
	var facts struct {
		ONNXRuntime struct{ Lacks []struct{ What, Mend string } } `json:"onnx_runtime"`
	}
	decode(t, r.stdout, &facts)
	if lacks := facts.ONNXRuntime.Lacks; len(lacks) != 1 || !strings.Contains(lacks[0].What, library) {
		t.Errorf("got %+v, want that the library is missing", lacks)
	}
}

// A provider that this machine does not have is told, with what mends it.
func TestDoctorProvider(t *testing.T) {
	if r := albert(t, "", "doctor", "--json"); strings.Contains(r.stdout, `"library": null`) {
		t.Skip("needs ONNX Runtime")
	}
	out := must(t, "doctor", "--provider", "tpu")
	for _, want := range []string{"missing: ort: provider tpu: ", "\n  mend: export ", "\nprovider cpu: can be loaded\n", "\ncache: "} {
		if !strings.Contains(out, want) {
			t.Errorf("%s does not say %q", out, want)
		}
	}
}

// Why each source was given up is a line; what was forged is not installed.
func TestRuntimeInstallFails(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("forged")) }))
	defer server.Close()
	for _, gpu := range []string{"--gpu=false", "--gpu"} {
		command := exec.Command(program, "runtime", "install", "--release-url", server.URL, gpu)
		cache := t.TempDir()
		command.Env = []string{"XDG_CACHE_HOME=" + cache, "HOME=" + cache, "PATH=" + cache}
		r := start(t, command, "")
		last := r.stderr[strings.LastIndex(strings.TrimSuffix(r.stderr, "\n"), "\n")+1:]
		if r.code != exitError || !strings.HasPrefix(last, "albert: ort: install: ") || !strings.Contains(last, "pip is not installed") ||
			gpu != "--gpu" && !strings.Contains(last, "damaged archive") {
			t.Errorf("%s: exit code %d, %q", gpu, r.code, r.stderr)
		}
		filepath.WalkDir(cache, func(path string, entry os.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				t.Errorf("%s was left behind", path)
			}
			return nil
		})
	}
}
