package ort

import (
	"debug/elf"
	"errors"
	"fmt"
	"os"
	goruntime "runtime"
	"slices"
)

// inspect returns what the library at path is, or why this process cannot use it. The file is read before it is loaded:
// the loader maps what a damaged header says and dies of it.
func inspect(path string) (Library, error) {
	if err := checkFile(path); err != nil {
		return Library{}, withoutOperation(path, err)
	}
	version, providers, err := probe(path)
	if err != nil {
		return Library{}, fmt.Errorf("%s: %w", path, err)
	}
	return Library{Path: path, Version: version, Providers: providers}, nil
}

// checkFile returns an error unless path is a whole ELF library for this processor that exports ONNX Runtime's entry
// point. On systems without ELF it leaves the judgement to the loader.
func checkFile(path string) error {
	if goruntime.GOOS != "linux" {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	file, err := elf.Open(path)
	if err != nil {
		if _, ok := errors.AsType[*elf.FormatError](err); ok || info.Size() < 64 {
			return errors.New("not a shared library, or a damaged one")
		}
		return err
	}
	defer file.Close()
	if file.Type != elf.ET_DYN {
		return fmt.Errorf("not a shared library but %v", file.Type)
	}
	machines := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}
	if want, ok := machines[goruntime.GOARCH]; ok && file.Machine != want {
		return fmt.Errorf("made for another processor: got %v, want %v", file.Machine, want)
	}
	for _, segment := range file.Progs {
		if end := segment.Off + segment.Filesz; segment.Type == elf.PT_LOAD && end > uint64(info.Size()) {
			return fmt.Errorf("truncated: got %d bytes, want at least %d", info.Size(), end)
		}
	}
	symbols, err := file.DynamicSymbols()
	if err != nil {
		return fmt.Errorf("damaged: %w", err)
	}
	if !slices.ContainsFunc(symbols, func(s elf.Symbol) bool { return s.Name == entryPoint }) {
		return fmt.Errorf("not ONNX Runtime: it exports no %s", entryPoint)
	}
	return nil
}

// entryPoint is the one function that an ONNX Runtime library is found by.
const entryPoint = "OrtGetApiBase"
