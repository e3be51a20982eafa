//go:build cgo && linux

package ort_test

import (
	"encoding/binary"
	"path/filepath"
	"syscall"
	"testing"

	"goalbert/runtime/ort"
)

// A model is read by us once, without its weights, and by ONNX Runtime once: its session is the only one that is made.
func TestModelIsLoadedOnce(t *testing.T) {
	needLibrary(t)
	path := exported(t)
	first := open(t, path, ort.Options{}) // so that the library is there
	defer first.Close()
	watch, err := syscall.InotifyInit1(syscall.IN_NONBLOCK)
	if err != nil {
		t.Skip(err)
	}
	defer syscall.Close(watch)
	// Closing is watched as well: equal events that follow each other would be one.
	if _, err := syscall.InotifyAddWatch(watch, filepath.Dir(path), syscall.IN_OPEN|syscall.IN_CLOSE); err != nil {
		t.Skip(err)
	}
	open(t, path, ort.Options{WarmUp: [][]int{{1, 4}}})
	buffer := make([]byte, 1<<16)
	n, err := syscall.Read(watch, buffer)
	if err != nil {
		t.Fatal(err)
	}
	opened := 0
	for buffer = buffer[:n]; len(buffer) >= syscall.SizeofInotifyEvent; {
		if binary.NativeEndian.Uint32(buffer[4:])&syscall.IN_OPEN != 0 {
			opened++
		}
		buffer = buffer[syscall.SizeofInotifyEvent+binary.NativeEndian.Uint32(buffer[12:]):]
	}
	if opened != 2 {
		t.Errorf("the model's file was opened %d times, want 2", opened)
	}
}
