package ort

import (
	"strings"
	"testing"
)

// A profile as ONNX Runtime writes it, of a run on CUDA with two nodes that fell to the CPU, one of them in a Loop.
const cudaProfile = `[
{"cat" : "Session","pid" :1,"tid" :1,"dur" :9,"ts" :1,"ph" : "X","name" :"session_initialization","args" : {}},
{"cat" : "Node","name" :"shape_kernel_time","args" : {"op_name" : "Shape","provider" : "CPUExecutionProvider","node_index" : "3"}},
{"cat" : "Node","name" :"dense_fence_before","args" : {"op_name" : "Gemm"}},
{"cat" : "Node","name" :"dense_kernel_time","args" : {"op_name" : "Gemm","provider" : "CUDAExecutionProvider","node_index" : "4"}},
{"cat" : "Node","name" :"gather_kernel_time","args" : {"op_name" : "Gather","provider" : "CPUExecutionProvider","node_index" : "5"}},
{"cat" : "Node","name" :"gather_kernel_time","args" : {"op_name" : "Gather","provider" : "CPUExecutionProvider","node_index" : "5"}},
{"cat" : "Node","name" :"copy_kernel_time","args" : {"op_name" : "MemcpyFromHost","provider" : "CUDAExecutionProvider","node_index" : "6"}}
]`

func TestReadPlacement(t *testing.T) {
	p, err := readPlacement(strings.NewReader(cudaProfile), cudaProvider)
	if err != nil {
		t.Fatal(err)
	}
	if want := "4 nodes: 2 by CUDAExecutionProvider, 2 by CPUExecutionProvider (1 Gather, 1 Shape)"; p.String() != want || p.Fallen() != 2 {
		t.Errorf("got %v, %d fallen; want %s, 2", p, p.Fallen(), want)
	}
	for _, text := range []string{"", "[]", "{}", `[{"cat":"Session"}]`, cudaProfile[:300]} {
		if p, err := readPlacement(strings.NewReader(text), cudaProvider); err == nil || !strings.Contains(err.Error(), "profile") {
			t.Errorf("%q: got %+v, error %v", text, p, err)
		}
	}
}

// Providers are named in any case, with their ending or without.
func TestProviderNames(t *testing.T) {
	l := Library{Path: "/lib/x.so", Version: "1.30.0",
		Providers: []string{"TensorrtExecutionProvider", "XnnpackExecutionProvider", "CPUExecutionProvider"}}
	for p, want := range map[Provider]string{
		"": cpuProvider, CPU: cpuProvider, "tensorrt": tensorRTProvider, "TensorRT": tensorRTProvider,
		"xnnpack": "XnnpackExecutionProvider", "XnnpackExecutionProvider": "XnnpackExecutionProvider", "cuda": "", "xnn": "",
	} {
		if got, ok := l.provider(p); got != want || ok != (want != "") {
			t.Errorf("%q: got %q, %v; want %q", p, got, ok, want)
		}
	}
	for origin, want := range map[Origin]string{
		FromCache: InstallGPUCommand, FromEnvironment: "unset " + LibraryEnv + "; " + InstallGPUCommand,
	} {
		l.Origin = origin
		lack, ok := l.lack(CUDA)
		if !ok || lack.What != "/lib/x.so (onnxruntime 1.30.0) was built without it and has tensorrt, xnnpack, cpu" || lack.Mend != want {
			t.Errorf("%s: got %+v, %v; want the mend %q", origin, lack, ok, want)
		}
	}
	if lack, ok := l.lack("openvino"); !ok || !strings.Contains(lack.Mend, LibraryEnv) {
		t.Errorf("got %+v, %v", lack, ok)
	}
}

func TestParseGraphOptimization(t *testing.T) {
	for name, want := range map[string]GraphOptimization{"all": OptimizeAll, "extended": OptimizeExtended, "basic": OptimizeBasic, "none": OptimizeNone} {
		if got, err := ParseGraphOptimization(name); err != nil || got != want {
			t.Errorf("%s: got %v, error %v", name, got, err)
		}
	}
	if _, err := ParseGraphOptimization("most"); err == nil {
		t.Error("a level most was accepted")
	}
}

func TestDriverVersion(t *testing.T) {
	for text, want := range map[string]string{
		"NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.95.05  Tue Sep 23 10:11:16 UTC 2025\nGCC version:  gcc version 12.3.0": "580.95.05",
		"NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.124.06  Release Build":                                        "570.124.06",
		"nothing": "of unknown version",
	} {
		if got := driverVersion(text); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
