//go:build !purego

package kernel

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// spelled is an instruction that the generators wrote as bytes, and its name in Go's order of operands.
var spelled = regexp.MustCompile(`LONG \$0x([0-9a-f]{8}); WORD \$0x([0-9a-f]{4}) // (\w+) (\w+), (\w+), (\w+)`)

// A disassembler that knows AVX512_BF16 reads in the bytes what the comment says.
func TestSpelledInstructions(t *testing.T) {
	objdump, err := exec.LookPath("objdump")
	if err != nil {
		t.Skip("needs objdump, of the package binutils: ", err)
	}
	var code []byte
	var want []string
	for _, file := range []string{"gemm_amd64.s", "limit_amd64.s"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range spelled.FindAllStringSubmatch(string(text), -1) {
			long, _ := strconv.ParseUint(m[1], 16, 32)
			word, _ := strconv.ParseUint(m[2], 16, 16)
			code = binary.LittleEndian.AppendUint32(code, uint32(long))
			code = binary.LittleEndian.AppendUint16(code, uint16(word))
			name := strings.ToLower(m[3])
			registers := strings.ToLower(strings.NewReplacer("Z", "%zmm").Replace(m[4] + "," + m[5] + "," + m[6]))
			want = append(want, name+" "+registers)
		}
	}
	if len(want) == 0 {
		t.Fatal("found no spelled instructions; has the generator another way now?")
	}
	path := filepath.Join(t.TempDir(), "code")
	if err := os.WriteFile(path, code, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(objdump, "-D", "-b", "binary", "-m", "i386:x86-64", path).CombinedOutput()
	if err != nil {
		t.Fatalf("objdump: %v: %s", err, out)
	}
	var got []string
	for line := range strings.Lines(string(out)) {
		if fields := strings.Split(strings.TrimSpace(line), "\t"); len(fields) == 3 {
			got = append(got, strings.Join(strings.Fields(fields[2]), " "))
		}
	}
	if len(got) != len(want) {
		t.Fatalf("objdump reads %d instructions, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("instruction %d: objdump reads %q, and the comment says %q", i, got[i], want[i])
		}
	}
}
