package machine

import "testing"

func TestModelName(t *testing.T) {
	cpuinfo := "processor\t: 0\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: A Processor 3000\n\n" +
		"processor\t: 1\ncpu family\t: 26\nmodel name\t: Another\n"
	if got, want := modelName(cpuinfo), "A Processor 3000 (family 25, model 17)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := modelName("processor: 0\nBogoMIPS: 48.00\n"); got != "" {
		t.Errorf("without a name: got %q", got)
	}
}

// A slice of 64 MB that is written to is resident.
func TestResidentMemory(t *testing.T) {
	before := ResidentMemory()
	if before == 0 {
		t.Skip("the system does not tell it as Linux does")
	}
	kept := make([]byte, 64<<20)
	for i := 0; i < len(kept); i += 4096 {
		kept[i] = 1
	}
	if grown := ResidentMemory() - before; grown < 48<<20 || grown > 256<<20 {
		t.Errorf("64 MB more made %d bytes more resident", grown)
	}
	kept[0] = 2
}
