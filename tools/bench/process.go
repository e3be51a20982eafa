package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"goalbert/internal/machine"
)

// process is something that is measured, ours or a peer's. It warms up, prints a line that names it, and then, for each
// line that it reads, measures once and prints a number. It ends with its input.
type process struct {
	command *exec.Cmd
	input   io.WriteCloser
	output  *bufio.Reader
	errors  bytes.Buffer
	name    string
}

// start starts command and waits until it is warm.
func start(command *exec.Cmd) (*process, error) {
	p := &process{command: command}
	command.Stderr = &p.errors
	input, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	p.input, p.output = input, bufio.NewReader(output)
	if p.name, err = p.line(); err != nil {
		return nil, err
	}
	return p, nil
}

// line reads a line. If there is none, the process has failed, and what it said last is the error.
func (p *process) line() (string, error) {
	line, err := p.output.ReadString('\n')
	if err == nil {
		return strings.TrimSpace(line), nil
	}
	p.input.Close()
	failed := p.command.Wait()
	return "", fmt.Errorf("%s (%v): %s", filepath.Base(p.command.Path), failed, lastWords(p.errors.String()))
}

// lastWords returns the line of what a process said that tells why it ended: Go's panic, or else the last, where Python
// has it.
func lastWords(said string) string {
	lines := strings.Split(strings.TrimSpace(said), "\n")
	if i := slices.IndexFunc(lines, func(line string) bool { return strings.HasPrefix(line, "panic: ") }); i >= 0 {
		return lines[i]
	}
	return lines[len(lines)-1]
}

// measure measures once.
func (p *process) measure() (float64, error) {
	if _, err := io.WriteString(p.input, "go\n"); err != nil {
		return 0, err
	}
	line, err := p.line()
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(line, 64)
}

// stop ends the process and returns the most memory that was resident, in bytes.
func (p *process) stop() (memory float64, err error) {
	p.input.Close()
	if err := p.command.Wait(); err != nil {
		return 0, err
	}
	return machine.PeakMemory(p.command.ProcessState), nil
}

// serve is the other end: it names itself and measures for each line that it reads.
func serve(name string, measure func() (float64, error), in io.Reader, out io.Writer) error {
	fmt.Fprintln(out, name)
	for lines := bufio.NewScanner(in); lines.Scan(); {
		value, err := measure()
		if err != nil {
			return err
		}
		fmt.Fprintln(out, value)
	}
	return nil
}
