package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"goalbert/models"
	"goalbert/runtime/ort"
)

// Two models take turns: there is a session of each with each number of threads, a row for each of their loads, all numbers
// are positive, the first is its own measure, and CSV and drawing are what such files are.
func TestBench(t *testing.T) {
	dir := checkpointOf(t, models.BaseModel)
	folder := t.TempDir()
	file, table, drawing := filepath.Join(folder, "model.onnx"), filepath.Join(folder, "bench.csv"), filepath.Join(folder, "bench.png")
	must(t, "export", dir, "--out", file)
	out := must(t, "bench", dir, file, "--engine", "onnx-go", "--batch", "1,3", "--length", "4,7", "--threads", "1,2", "--runs", "5", "--loads", "2",
		"--csv", table, "--plot", drawing, "--json")
	var r benchReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Sessions) != 4 || len(r.Rows) != 16 {
		t.Fatalf("%d sessions and %d rows, want 4 and 16", len(r.Sessions), len(r.Rows))
	}
	for i, s := range r.Sessions {
		first := i%2 == 0
		if s.Load <= 0 || s.Loaded < 0 || s.Resident < 0 || s.LoadRatio <= 0 || first != (s.Model == dir) || first && (s.LoadRatio != 1 || s.ResidentRatio != 1 && s.Resident > 0) {
			t.Errorf("session %+v", s)
		}
	}
	loads := map[[4]int]int{}
	for i, row := range r.Rows {
		loads[[4]int{i % 2, row.Threads, row.Batch, row.Length}]++
		ordered := 0 < row.Best && row.Best <= row.P50 && row.P50 <= row.P90 && row.P90 <= row.P99
		if row.Runs != 5 || !ordered || row.TokensPerSecond <= 0 || row.Speed <= 0 || i%2 == 0 && row.Speed != 1 {
			t.Errorf("row %+v", row)
		}
	}
	if len(loads) != 16 {
		t.Errorf("the loads are %v", loads)
	}
	text, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	if lines, err := csv.NewReader(bytes.NewReader(text)).ReadAll(); err != nil || len(lines) != 17 || lines[1][0] != dir || lines[2][0] != file {
		t.Errorf("got %d lines, error %v:\n%s", len(lines), err, text)
	}
	image, err := os.Open(drawing)
	if err != nil {
		t.Fatal(err)
	}
	defer image.Close()
	if decoded, err := png.Decode(image); err != nil || decoded.Bounds().Dx() < 500 {
		t.Errorf("got error %v", err)
	}
}

func TestBenchRefuses(t *testing.T) {
	dir := checkpointOf(t, models.BaseModel)
	albert(t, "", "bench", dir, "--length", "600").fails(t, "600 tokens", "max_position_embeddings")
	albert(t, "", "bench", filepath.Join(dir, models.ConfigFile)).fails(t, "neither a checkpoint's directory nor an .onnx file")
	for _, arguments := range [][]string{{dir, "--runs", "0"}, {dir, "--batch", "0"}, {dir, "--threads", "-1"}, {},
		{"--worker"}, {"--worker", dir, dir}} {
		if r := albert(t, "", append([]string{"bench"}, arguments...)...); r.code != exitUsage {
			t.Errorf("%v: exit code %d, want %d: %s", arguments, r.code, exitUsage, r.stderr)
		}
	}
}

// needLibrary skips a test where this machine has no ONNX Runtime.
func needLibrary(t *testing.T) {
	t.Helper()
	if _, err := ort.Find(""); err != nil {
		t.Skipf("needs ONNX Runtime: %v", err)
	}
}

// Of what a process said, the error is shown: not a note before it, nor the usage after it.
func TestLastSentence(t *testing.T) {
	for said, want := range map[string]string{
		"": "",
		"model.onnx: 4 nodes: 2 by CUDAExecutionProvider\nalbert: ort: run: out of memory\n": "ort: run: out of memory",
		"albert: shape is wrong\nusage: albert bench\n":                                      "shape is wrong",
		"SIGSEGV: segmentation violation\nPC=0x1\n\ngoroutine 1\n":                           "SIGSEGV: segmentation violation",
	} {
		if got := lastSentence(said); got != want {
			t.Errorf("%q: got %q, want %q", said, got, want)
		}
	}
}

// ONNX Runtime gets as many threads as a worker is told.
func TestBenchThreads(t *testing.T) {
	needLibrary(t)
	if _, err := os.Stat("/proc/self/task"); err != nil {
		t.Skip("needs /proc")
	}
	file := filepath.Join(t.TempDir(), "model.onnx")
	must(t, "export", checkpointOf(t, models.BaseModel), "--out", file)
	count := func(threads string) int {
		command := exec.Command(program, "bench", "--worker", "--threads", threads, file)
		input, err := command.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		output, err := command.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		defer command.Wait()
		defer input.Close()
		var hello benchHello
		if err := json.NewDecoder(output).Decode(&hello); err != nil || hello.Load <= 0 {
			t.Fatalf("got %+v, error %v", hello, err)
		}
		tasks, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(command.Process.Pid), "task"))
		if err != nil {
			t.Fatal(err)
		}
		return len(tasks)
	}
	// Go itself has a few more or less.
	if one, many := count("1"), count("41"); many < one+30 {
		t.Errorf("%d threads run for one, %d for 41", one, many)
	}
}

// Nodes that fall to another provider are told and counted, by all commands; where a model with such is refused, the
// error is, and nothing is run to count.
func TestBenchPlacement(t *testing.T) {
	needLibrary(t)
	library, err := ort.Find("")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(library.Providers, "AzureExecutionProvider") {
		t.Skip("needs a library with the provider azure, as pip's onnxruntime: name it by " + ort.LibraryEnv)
	}
	file := filepath.Join(t.TempDir(), "model.onnx")
	must(t, "export", checkpointOf(t, models.BaseModel), "--out", file)
	arguments := []string{"bench", file, "--provider", "azure", "--batch", "1", "--length", "4", "--runs", "1", "--loads", "2", "--threads", "1,2", "--json"}
	r := albert(t, "", arguments...)
	var report benchReport
	decode(t, r.stdout, &report)
	if r.code != 0 || strings.Count(r.stderr, " by CPUExecutionProvider (") != 1 || !strings.HasPrefix(r.stderr, file+": ") {
		t.Errorf("exit code %d, %q; want one line on the nodes that fell", r.code, r.stderr)
	}
	for _, s := range report.Sessions {
		if s.Placement == nil || s.Placement.Fallen() < 20 {
			t.Errorf("got %+v, want its placement", s)
		}
	}
	albert(t, "", append(arguments, "--no-cpu-fallback")...).fails(t, "provider azure cannot run every node")
}

// Without the fallback no node can fall, and none is looked for.
func TestNoFallbackNeedsNoPlacement(t *testing.T) {
	library, none := "", filepath.Join(t.TempDir(), "none.onnx")
	o := &engineOptions{provider: "tpu", library: &library}
	if err := o.tellFallen(none); err == nil {
		t.Error("nodes of no model were counted")
	}
	o.session.NoCPUFallback = true
	if err := o.tellFallen(none); err != nil {
		t.Error(err)
	}
}
