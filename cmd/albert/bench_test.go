package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"goalbert/models"
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
	for _, arguments := range [][]string{{dir, "--runs", "0"}, {dir, "--batch", "0"}, {dir, "--threads", "-1"}, {}} {
		if r := albert(t, "", append([]string{"bench"}, arguments...)...); r.code != exitUsage {
			t.Errorf("%v: exit code %d, want %d: %s", arguments, r.code, exitUsage, r.stderr)
		}
	}
}
