package ort

import (
	"cmp"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	goruntime "runtime"
	"slices"
	"strings"
)

// inspect returns what the library at path is, or why this process cannot use it. The file is read before it is loaded:
// the loader maps what a damaged header says and dies of it, and what is loaded stays in the process.
func inspect(path string) (Library, error) {
	stamped, err := checkFile(path)
	if err != nil {
		return Library{}, withoutOperation(path, err)
	}
	version, providers, err := probe(path)
	if err != nil {
		return Library{}, fmt.Errorf("%s: %w", path, err)
	}
	return Library{Path: path, Version: cmp.Or(version, stamped), Providers: providers}, nil
}

// checkFile returns the version that the ELF library at path is stamped with, if any, or an error unless it is whole,
// for this processor, exports ONNX Runtime's entry point and is not too old. On systems without ELF it leaves the
// judgement to the loader.
func checkFile(path string) (version string, err error) {
	if goruntime.GOOS != "linux" {
		return "", nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	file, err := elf.Open(path)
	if err != nil {
		if _, ok := errors.AsType[*os.PathError](err); ok {
			return "", err
		}
		return "", errors.New("not a shared library, or a damaged one")
	}
	defer file.Close()
	if err := checkHeader(file, info.Size()); err != nil {
		return "", err
	}
	symbols, err := file.DynamicSymbols()
	if err != nil {
		return "", fmt.Errorf("damaged: %w", err)
	}
	i := slices.IndexFunc(symbols, func(s elf.Symbol) bool { return s.Name == entryPoint && s.Section != elf.SHN_UNDEF })
	if i < 0 {
		return "", fmt.Errorf("not ONNX Runtime: it exports no %s", entryPoint)
	}
	version, ok := strings.CutPrefix(symbols[i].Version, versionPrefix)
	if !ok {
		return "", nil // a build without the linker's version script
	}
	return version, checkVersion(version)
}

// checkHeader returns an error unless file, of that many bytes, is a shared library for this processor, with all that
// the loader will map.
func checkHeader(file *elf.File, size int64) error {
	if file.Type != elf.ET_DYN {
		return fmt.Errorf("not a shared library but %v", file.Type)
	}
	machines := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}
	if want, ok := machines[goruntime.GOARCH]; ok && file.Machine != want {
		return fmt.Errorf("made for another processor: got %v, want %v", file.Machine, want)
	}
	for _, segment := range file.Progs {
		if segment.Type == elf.PT_LOAD && (segment.Filesz > uint64(size) || segment.Off > uint64(size)-segment.Filesz) {
			return fmt.Errorf("truncated: got %d bytes, want %d from %d on", size, segment.Filesz, segment.Off)
		}
	}
	return nil
}

const (
	entryPoint    = "OrtGetApiBase" // the one function that an ONNX Runtime library is found by
	versionPrefix = "VERS_"         // of its version, as ONNX Runtime's linker script stamps it
)
