package ort

import (
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
)

// providerFiles are the providers that are libraries of their own, which the main one loads from its directory.
var providerFiles = map[string]string{
	cudaProvider:                "libonnxruntime_providers_cuda.so",
	tensorRTProvider:            "libonnxruntime_providers_tensorrt.so",
	"DnnlExecutionProvider":     "libonnxruntime_providers_dnnl.so",
	"MIGraphXExecutionProvider": "libonnxruntime_providers_migraphx.so",
	"OpenVINOExecutionProvider": "libonnxruntime_providers_openvino.so",
}

// bridgeFile is what every provider's library is reached through.
const bridgeFile = "libonnxruntime_providers_shared.so"

const (
	driverFile    = "libcuda.so.1" // comes with NVIDIA's driver, and cannot come from elsewhere
	installDriver = "install the NVIDIA driver, which has " + driverFile

	// pipCUDA brings CUDA's libraries of the version that the library of [PinnedVersion] was built for.
	pipCUDA = `pip install "onnxruntime-gpu[cuda,cudnn]==` + PinnedVersion + `"`
)

// lackOfFiles says what the provider of that name lacks to be loaded: its own library beside the main one, then what that
// one needs. What pip has installed of it is loaded at the same time, as the loader would not find it.
func (l Library) lackOfFiles(name string) (Lack, bool) {
	file, ok := providerFiles[name]
	if !ok || goruntime.GOOS != "linux" {
		return Lack{}, false
	}
	mend := "export " + LibraryEnv + "=PATH of a library with it"
	if name == cudaProvider || name == tensorRTProvider {
		mend = l.installGPU()
	}
	dir := filepath.Dir(l.Path)
	for _, file := range []string{bridgeFile, file} {
		path := filepath.Join(dir, file)
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return Lack{What: path + " is missing beside the library", Mend: mend}, true
		} else if err != nil {
			return Lack{What: withoutOperation(path, err).Error(), Mend: mend}, true
		}
	}
	needed, err := neededLibraries(filepath.Join(dir, file))
	if err != nil {
		return Lack{What: err.Error(), Mend: mend}, true
	}
	missing := preload(needed, append([]string{dir}, nvidiaDirectories()...))
	if len(missing) == 0 {
		return Lack{}, false
	}
	what := fmt.Sprintf("%s needs %s, which cannot be loaded", file, strings.Join(missing, ", "))
	switch {
	case slices.Equal(missing, []string{driverFile}):
		return Lack{What: what, Mend: installDriver}, true
	case slices.Contains(missing, driverFile):
		return Lack{What: what, Mend: installDriver + "; then: " + pipCUDA}, true
	case slices.ContainsFunc(missing, func(f string) bool { return strings.HasPrefix(f, "libnvinfer") }):
		return Lack{What: what, Mend: "pip install tensorrt"}, true
	case name == cudaProvider:
		return Lack{What: what, Mend: pipCUDA}, true
	}
	return Lack{What: what, Mend: "export LD_LIBRARY_PATH=DIRECTORY of these libraries"}, true
}

// neededLibraries are those that the provider's library at path names.
func neededLibraries(path string) ([]string, error) {
	file, err := elf.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: not a shared library, or a damaged one", path)
	}
	defer file.Close()
	needed, err := file.ImportedLibraries()
	if err != nil {
		return nil, fmt.Errorf("%s: damaged: %w", path, err)
	}
	return needed, nil
}

// nvidiaDirectories are where pip puts CUDA's libraries.
func nvidiaDirectories() []string {
	var dirs []string
	for _, site := range sitePackages() {
		for _, pattern := range []string{"nvidia/*/lib", "tensorrt_libs"} {
			matches, err := filepath.Glob(filepath.Join(site, pattern))
			if err == nil {
				dirs = append(dirs, matches...)
			}
		}
	}
	return dirs
}
