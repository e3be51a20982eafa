package tokenizer_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"goalbert/tokenizer"
)

// spmEncode returns the ids that the reference implementation, spm_encode, gives for lines.
func spmEncode(t *testing.T, model string, lines []string) [][]int32 {
	t.Helper()
	program, err := exec.LookPath("spm_encode")
	if err != nil {
		t.Skip("spm_encode is not on PATH (Debian package sentencepiece)")
	}
	command := exec.Command(program, "--model="+model, "--output_format=id")
	command.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("spm_encode: %v: %s", err, stderr.Bytes())
	}
	answers := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(answers) != len(lines) {
		t.Fatalf("spm_encode answered %d lines, want %d", len(answers), len(lines))
	}
	ids := make([][]int32, len(lines))
	for i, answer := range answers {
		for word := range strings.FieldsSeq(answer) {
			id, err := strconv.ParseInt(word, 10, 32)
			if err != nil {
				t.Fatal(err)
			}
			ids[i] = append(ids[i], int32(id))
		}
	}
	return ids
}

// bookLines returns every step-th line of the books.
func bookLines(t testing.TB, step int) []string {
	t.Helper()
	const root = "../../shared/data/books"
	if _, err := os.Stat(root); err != nil {
		t.Skipf("no %s here", root)
	}
	var lines []string
	count := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".md" {
			return err
		}
		for _, line := range fileLines(t, path) {
			if count++; count%step == 0 {
				lines = append(lines, line)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func fileLines(t testing.TB, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
}

// awkwardLines are texts that normalization treats in special ways.
func awkwardLines() []string {
	return []string{
		" leading and  double   spaces ", "\ttabs\tand\u00a0no-break\u3000ideographic spaces", "ﬁnancial ﬂow Ⅷ ½ ①",
		"ｆｕｌｌｗｉｄｔｈ ﾊﾟﾝ", "cafe\u0301 café", "zero\u200bwidth\ufeffbytes\u00ad", "–£€\"-.() em—dash …", "日本語と漢字 text",
		"русский текст", "\u0001control\u007f", "emoji 😀 👩\u200d👩", "bad \xff\xfe bytes \xe2\x82", "~tilde～", "▁ already ▁▁",
		"1990, 2,000, 3.14, 9,9", "[CLS] [MASK] <unk>", "a\u0300\u0316b", "İstanbul ΣΑΣ", "\u2028line", "éééé", "日1,",
		strings.Repeat("supercalifragilistic", 20), "!!!!????", "''quoted''", "\u200e\u200fmarks",
	}
}

func compareWithSPM(t *testing.T, model string, lines []string) {
	t.Helper()
	u, err := tokenizer.ReadUnigram(model)
	if err != nil {
		t.Fatal(err)
	}
	want := spmEncode(t, model, lines)
	wrong := 0
	for i, line := range lines {
		if got := u.Encode(line); !slices.Equal(got, want[i]) {
			if wrong++; wrong <= 5 {
				t.Errorf("Encode(%q)\n got %v\nwant %v (spm_encode)", line, got, want[i])
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d lines differ", wrong, len(lines))
	}
}

// The oracle is spm_encode, on every line of WikiText-2, of the books every 40th, or all with TOKENIZER_ALL_LINES=1, and
// text that normalization changes.
func TestEncodeAgreesWithSentencePiece(t *testing.T) {
	step := 40
	if os.Getenv("TOKENIZER_ALL_LINES") != "" {
		step = 1
	}
	lines := append(bookLines(t, step), awkwardLines()...)
	lines = append(lines, fileLines(t, "../../shared/data/wikitext2-raw/wiki.valid.raw")...)
	t.Logf("%d lines", len(lines))
	for _, model := range []string{
		"albert-vocab-en/spiece.model", "tokenizer-fixtures/xlnet-base-cased-spiece.model", "tokenizer-fixtures/opennmt.sample.sp.model",
	} {
		t.Run(model, func(t *testing.T) { compareWithSPM(t, "../../shared/data/"+model, lines) })
	}
}
