package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"goalbert/runtime/ort"
)

var (
	//go:embed openblas.c
	openBLASSource []byte

	//go:embed torch_albert.py
	torchSource []byte
)

// missing is a peer that is not installed, and the command that installs it.
type missing struct {
	peer, command string
	why           error
}

func (m missing) Error() string { return fmt.Sprintf("%s: run: %s (%v)", m.peer, m.command, m.why) }

// own is a process of this program.
func (b *bench) own(j job) *contender {
	return &contender{command: func() (*exec.Cmd, error) {
		if j.Kind == onnxRuntimeKind {
			if _, err := ort.Find(""); err != nil {
				return nil, missing{"ONNX Runtime", "make build && bin/" + ort.InstallCommand, err}
			}
		}
		text, err := json.Marshal(j)
		return exec.CommandContext(b.ctx, b.program, "-child", string(text)), err
	}}
}

// openBLAS multiplies on so many threads.
func (b *bench) openBLAS(s shape, threads int) *contender {
	return &contender{command: func() (*exec.Cmd, error) {
		program, err := b.compileOpenBLAS()
		if err != nil {
			return nil, err
		}
		arguments := strings.Fields(fmt.Sprint(s.M, s.N, s.K, s.TransA, s.TransB))
		command := exec.CommandContext(b.ctx, program, arguments...)
		command.Env = append(os.Environ(), fmt.Sprint("OPENBLAS_NUM_THREADS=", threads))
		return command, nil
	}}
}

// buildOpenBLAS compiles openblas.c and returns the program.
func (b *bench) buildOpenBLAS() (string, error) {
	source, program := filepath.Join(b.dir, "openblas.c"), filepath.Join(b.dir, "openblas")
	if err := os.WriteFile(source, openBLASSource, 0o666); err != nil {
		return "", err
	}
	if err := succeeds(exec.CommandContext(b.ctx, "cc", "-O2", source, "-lopenblas", "-o", program)); err != nil {
		return "", missing{"OpenBLAS", "apt-get install gcc libopenblas-dev", err}
	}
	return program, nil
}

// torch takes optimizer steps in PyTorch.
func (b *bench) torch(w workload, threads int, bf16 bool) *contender {
	return &contender{command: func() (*exec.Cmd, error) {
		script, err := b.findTorch()
		if err != nil {
			return nil, err
		}
		arguments := []string{script, "--threads", fmt.Sprint(threads), "--batch", fmt.Sprint(w.Sequences)}
		if w.LengthsFile != "" {
			arguments = append(arguments, "--lengths", w.LengthsFile)
		} else {
			arguments = append(arguments, "--sequence", fmt.Sprint(w.Length))
		}
		if bf16 {
			arguments = append(arguments, "--bf16")
		}
		return exec.CommandContext(b.ctx, b.python, arguments...), nil
	}}
}

// writeTorch writes torch_albert.py, where there is a PyTorch to run it, and returns its path.
func (b *bench) writeTorch() (string, error) {
	if err := succeeds(exec.CommandContext(b.ctx, b.python, "-c", "import torch")); err != nil {
		return "", missing{"PyTorch", b.python + " -m pip install torch", err}
	}
	path := filepath.Join(b.dir, "torch_albert.py")
	return path, os.WriteFile(path, torchSource, 0o666)
}

// succeeds runs command, and returns the last line of what it said where it fails.
func succeeds(command *exec.Cmd) error {
	out, err := command.CombinedOutput()
	if said := strings.TrimSpace(string(out)); err != nil && said != "" {
		return fmt.Errorf("%s", said[strings.LastIndexByte(said, '\n')+1:])
	}
	return err
}
