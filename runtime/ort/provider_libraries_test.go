//go:build cgo && linux

package ort

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// moveTo moves a compiled library to a place.
func moveTo(t *testing.T, library, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(library, path); err != nil {
		t.Fatal(err)
	}
}

// What a provider lacks is told one after the other, until nothing is missing: its libraries, the driver, CUDA's
// libraries, which pip may have installed.
func TestLackOfFiles(t *testing.T) {
	const cublas, driver = "libgoalbert-cublas.so.13", driverFile
	t.Setenv("VIRTUAL_ENV", t.TempDir())
	nvidia := filepath.Join(os.Getenv("VIRTUAL_ENV"), "lib/python3.12/site-packages/nvidia/cu13/lib")
	dir := t.TempDir()
	l := Library{Path: filepath.Join(dir, cachedName), Origin: FromCache}
	check := func(provider, what, mend string) {
		t.Helper()
		lack, ok := l.lackOfFiles(provider)
		if !ok || !strings.Contains(lack.What, what) || !strings.Contains(lack.Mend, mend) {
			t.Errorf("got %+v, %v; want %q and %q", lack, ok, what, mend)
		}
	}
	if lack, ok := l.lackOfFiles("XnnpackExecutionProvider"); ok {
		t.Errorf("a provider of the main library lacks %+v", lack)
	}
	check(cudaProvider, bridgeFile+" is missing", InstallGPUCommand)
	moveTo(t, compile(t, "int bridge;", ""), filepath.Join(dir, bridgeFile))
	check(cudaProvider, "libonnxruntime_providers_cuda.so is missing", InstallGPUCommand)
	check("OpenVINOExecutionProvider", "libonnxruntime_providers_openvino.so is missing", "export "+LibraryEnv)
	if err := os.WriteFile(filepath.Join(dir, providerFiles[tensorRTProvider]), []byte("text"), 0o666); err != nil {
		t.Fatal(err)
	}
	check(tensorRTProvider, "not a shared library", InstallGPUCommand)

	// One that needs the driver and another library; the names are those that the loader will ask for.
	needs := func(names ...string) []string {
		flags := []string{"-Wl,--no-as-needed"}
		for _, name := range names {
			flags = append(flags, compile(t, "int f;", "", "-Wl,-soname,"+name))
		}
		return flags
	}
	if canLoad(driver) {
		t.Log("this machine has the driver")
	} else {
		moveTo(t, compile(t, "int p;", "", needs(cublas, driver)...), filepath.Join(dir, providerFiles[cudaProvider]))
		check(cudaProvider, "needs "+cublas+", "+driver+", which cannot be loaded", installDriver+"; then: "+pipCUDA)
		moveTo(t, compile(t, "int p;", "", needs(driver)...), filepath.Join(dir, providerFiles[cudaProvider]))
		check(cudaProvider, "needs "+driver+", which cannot be loaded", installDriver)
	}
	moveTo(t, compile(t, "int p;", "", needs(cublas)...), filepath.Join(dir, providerFiles[cudaProvider]))
	check(cudaProvider, "needs "+cublas+", which cannot be loaded", pipCUDA)
	moveTo(t, compile(t, "int f;", "", "-Wl,-soname,"+cublas), filepath.Join(nvidia, cublas))
	if lack, ok := l.lackOfFiles(cudaProvider); ok {
		t.Errorf("with pip's package: got %+v", lack)
	}
	if !canLoad(filepath.Join(dir, providerFiles[cudaProvider])) {
		t.Error("the provider's library cannot be loaded after what it needs")
	}
}
