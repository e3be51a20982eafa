package main

import (
	"bytes"
	"testing"

	"goalbert/native"
)

// Recomputation saves memory and changes nothing; bf16 changes the weights, and a run keeps its precision.
func TestPrecisionAndRecomputation(t *testing.T) {
	p := newProject(t)
	must(t, p.long("fp32")...)
	must(t, p.long("again", "--recompute")...)
	want := weightsOf(t, p.path("fp32"))
	if !bytes.Equal(weightsOf(t, p.path("again")), want) {
		t.Error("--recompute gives other weights")
	}
	if code := albert(t, "", p.long("fp16", "--precision", "fp16")...); code.code != 2 {
		t.Errorf("an unknown precision ends with %d, want 2: %s", code.code, code.stderr)
	}
	if err := native.BF16.Available(); err != nil {
		albert(t, "", p.long("bf16", "--precision", "bf16")...).fails(t, "AVX512_BF16", "use precision fp32")
		return
	}
	must(t, p.long("bf16", "--precision", "bf16")...)
	must(t, p.long("two", "--precision", "bf16", "--threads", "2")...)
	bf16 := weightsOf(t, p.path("bf16"))
	if bytes.Equal(bf16, want) {
		t.Error("bf16 gives the weights of fp32")
	}
	if !bytes.Equal(weightsOf(t, p.path("two")), bf16) {
		t.Error("in bf16 two threads give other weights than one")
	}
	albert(t, "", "pretrain", p.corpus, "--out", p.path("bf16"), "--resume", "--precision", "fp32").fails(t,
		`precision is "fp32", the checkpoint was made with "bf16"`)
}
