package main

import (
	"strings"
	"testing"
)

func testReport() *report {
	yes := true
	return &report{
		Processor: "a processor",
		Rows: []row{
			{Name: "product xᵀ", Unit: "GFLOP/s", Rounds: 2, Ours: []float64{99.96, 102}, Beside: "limit",
				Peer: []float64{110, 120}, Ratio: &spread{0.88, 0.85, 0.91}, Wanted: "≥ 0.88", Holds: &yes},
			{Name: "step", Unit: "s", Rounds: 1, Ours: []float64{1.234}},
		},
		Skipped: []string{"PyTorch: run: pip install torch"},
	}
}

// Columns are aligned by characters, not by bytes.
func TestWriteText(t *testing.T) {
	var out strings.Builder
	writeText(&out, testReport())
	want := `
measured    ours  unit     beside it   is  ratio    min..max  rounds  wanted
product xᵀ   101  GFLOP/s  limit      115   0.88  0.85..0.91       2  ≥ 0.88  yes
step        1.23  s                                                1

skipped: PyTorch: run: pip install torch
`
	if got := out.String(); !strings.HasPrefix(got, "a processor\n") || !strings.HasSuffix(got, want) {
		t.Errorf("got\n%s\nwant an end of\n%s", got, want)
	}
}

func TestWriteMarkdown(t *testing.T) {
	var out strings.Builder
	writeMarkdown(&out, testReport())
	want := `
| measured | ours | unit | beside it | is | ratio | min..max | rounds | wanted |  |
|---|--:|---|---|--:|--:|--:|--:|---|---|
| product xᵀ | 101 | GFLOP/s | limit | 115 | 0.88 | 0.85..0.91 | 2 | ≥ 0.88 | yes |
| step | 1.23 | s |  |  |  |  | 1 |  |  |

skipped: PyTorch: run: pip install torch
`
	if got := out.String(); !strings.HasSuffix(got, want) {
		t.Errorf("got\n%s\nwant an end of\n%s", got, want)
	}
}

// What failed is in the table and in the exit code; what is not installed is no error.
func TestPrintReport(t *testing.T) {
	var out strings.Builder
	r := testReport()
	if err := printReport(&out, r, false); err != nil {
		t.Errorf("got %v", err)
	}
	r.Failed = []string{"bench (exit status 2): panic: no"}
	if err := printReport(&out, r, false); err == nil || !strings.HasSuffix(out.String(), "failed: "+r.Failed[0]+"\n") {
		t.Errorf("got error %v and\n%s", err, out.String())
	}
}
