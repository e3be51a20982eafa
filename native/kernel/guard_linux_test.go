package kernel

import (
	"syscall"
	"testing"
	"unsafe"
)

// guarded returns two slices of n elements: one that ends where a page begins that must not be touched, and one that
// begins where such a page ends. A kernel that reads or writes one element outside of them crashes.
func guarded[T Float](t testing.TB, n int) (before, behind []T) {
	var element T
	size, page := n*int(unsafe.Sizeof(element)), syscall.Getpagesize()
	room := (size + page - 1) / page * page
	memory, err := syscall.Mmap(-1, 0, room+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Munmap(memory); err != nil {
			t.Error(err)
		}
	})
	for _, guard := range [][]byte{memory[:page], memory[page+room:]} {
		if err := syscall.Mprotect(guard, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	start := unsafe.Pointer(unsafe.SliceData(memory[page:]))
	before = unsafe.Slice((*T)(unsafe.Add(start, room-size)), n)
	return before, unsafe.Slice((*T)(start), n)
}
