package tokenizer

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// sentencePiece runs one of its programs, and skips the test where it is not installed.
func sentencePiece(t *testing.T, stdin, program string, arguments ...string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("%s is not on PATH (Debian package sentencepiece)", program)
	}
	command := exec.Command(path, arguments...)
	command.Stdin = strings.NewReader(stdin)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s %q: %v: %s", program, arguments, err, stderr.Bytes())
	}
	return string(out)
}

// filter runs a program on lines and returns its answers, one a line.
func filter(t *testing.T, lines []string, program string, arguments ...string) []string {
	t.Helper()
	out := sentencePiece(t, strings.Join(lines, "\n")+"\n", program, arguments...)
	answers := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if len(answers) != len(lines) {
		t.Fatalf("%s answered %d lines, want %d", program, len(answers), len(lines))
	}
	return answers
}

// mixedLines are texts of what normalization and segmentation treat in special ways, put together at random.
func mixedLines(n int) []string {
	random := rand.New(rand.NewPCG(3, 3))
	parts := []string{
		"kato", "sal", "ver", "to", "un", "MEN", "Ri", " ", " ", "  ", "   ", "\t", "\u00a0", "\u3000", "\u200b", "\u2028", "\r",
		"ﬁ", "½", "Ⅷ", "①", "ｆｕｌｌ", "ﾊﾟ", "e\u0301", "é", "\u0301", "a\u0302\u0301", "…", "—", "™", "～", "▁", "▁▁", "日本", "语", "й",
		"😀", "👩\u200d👩", "\xff", "\xe2\x82", "\x80", "\xed\xa0\x80", "\x00", "\x01", "\x7f", "\ufffd", "<sep>", "<s>", "</s>", "[CLS]",
		"<unk>", "<0x41>", "<", "(", ")", ".", ",", "1990,", "2,000", "İ", "ß", "ΣΑΣ", "가", "\u1100\u1161\u11a8", "ab ka", "qq", "q", "\ufeff",
	}
	lines := make([]string, n)
	for i := range lines {
		var b strings.Builder
		for range random.IntN(12) {
			b.WriteString(parts[random.IntN(len(parts))])
		}
		lines[i] = b.String()
	}
	return lines
}

// alter reads a model, lets change change it, and writes it again.
func alter(t *testing.T, path string, change func(*modelProto)) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := parseModel(data)
	if err != nil {
		t.Fatal(err)
	}
	change(m)
	if err := os.WriteFile(path, m.marshal(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Every kind of unigram model that spm_train writes, or that its format allows. The oracles are spm_encode and
// spm_decode.
func TestKindsOfModels(t *testing.T) {
	text := trainingText(1500)
	for i := range text {
		if i%7 == 0 {
			text[i] += []string{" 日本 é", " ① e\u0301 …", " ab ka  (ver)", " <sep> ½"}[i/7%4]
		}
	}
	dir := t.TempDir()
	rules := filepath.Join(dir, "rules.tsv")
	if err := os.WriteFile(rules, []byte("6B 61\t4B\n74\t20\n71\t\n65 301\tE9\n2E\t2E 20 2E\n72 69\t69 72\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	input := filepath.Join(dir, "input")
	if err := os.WriteFile(input, []byte(strings.Join(text, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	mixed := 3000
	if testing.Short() {
		mixed = 300
	}
	lines := append(text[:300:300], mixedLines(mixed)...)
	lines = append(lines, "", " ", "▁", strings.Repeat("katosal", 1000), strings.Repeat("日", 3000))
	for _, kind := range []struct {
		name   string
		flags  []string
		change func(*modelProto)
	}{
		{"nmt_nfkc", nil, nil},
		{"nfkc", []string{"--normalization_rule_name=nfkc"}, nil},
		{"nmt_nfkc_cf", []string{"--normalization_rule_name=nmt_nfkc_cf"}, nil},
		{"identity", []string{"--normalization_rule_name=identity"}, nil},
		{"custom rules", []string{"--normalization_rule_tsv=" + rules}, nil},
		{"no dummy prefix", []string{"--add_dummy_prefix=false"}, nil},
		{"suffix", []string{"--treat_whitespace_as_suffix=true"}, nil},
		{"suffix, spaces kept", []string{"--treat_whitespace_as_suffix=true", "--remove_extra_whitespaces=false"}, nil},
		{"suffix, no dummy", []string{"--treat_whitespace_as_suffix=true", "--add_dummy_prefix=false"}, nil},
		{"spaces kept", []string{"--remove_extra_whitespaces=false"}, nil},
		{"spaces kept, no dummy prefix", []string{"--remove_extra_whitespaces=false", "--add_dummy_prefix=false"}, nil},
		{"pieces of spaces", []string{"--remove_extra_whitespaces=false", "--allow_whitespace_only_pieces=true"}, nil},
		{"pieces over spaces", []string{"--split_by_whitespace=false"}, nil},
		{"byte fallback", []string{"--byte_fallback=true", "--vocab_size=600"}, nil},
		{"byte fallback, identity", []string{"--byte_fallback=true", "--vocab_size=600", "--normalization_rule_name=identity"}, nil},
		{"symbols", []string{"--user_defined_symbols=<sep>,ka,kat,ab ka,▁▁,½,.", "--control_symbols=[CLS],[SEP]"}, nil},
		{"symbols, spaces kept", []string{"--user_defined_symbols=<sep>,  ,o", "--remove_extra_whitespaces=false"}, nil},
		{"unknown surface", []string{"--unk_surface=(?)", "--unk_piece=UNKNOWN"}, nil},
		{"denormalization", []string{"--denormalization_rule_tsv=" + rules}, nil},
		{"spaces not escaped", nil, func(m *modelProto) {
			m.normalizer.escapeWhitespaces = false
			for i := range m.pieces {
				m.pieces[i].text = strings.ReplaceAll(m.pieces[i].text, whitespace, " ")
			}
		}},
		{"unused pieces", nil, func(m *modelProto) {
			for i := 5; i < len(m.pieces); i += 3 {
				m.pieces[i].kind = unusedPiece
			}
		}},
		{"ties", nil, func(m *modelProto) {
			for i := range m.pieces {
				m.pieces[i].score = -float32(i%2) - 1
			}
		}},
		{"near ties", nil, func(m *modelProto) {
			for i := range m.pieces {
				m.pieces[i].score = -float32(len(m.pieces[i].text)) - float32(i)*1e-6
			}
		}},
		{"scores above zero", []string{"--user_defined_symbols=<sep>,ka,kat"}, func(m *modelProto) {
			for i := range m.pieces {
				m.pieces[i].score += 7.3
			}
		}},
	} {
		t.Run(kind.name, func(t *testing.T) {
			prefix := filepath.Join(t.TempDir(), "m")
			sentencePiece(t, "", "spm_train", append([]string{
				"--input=" + input, "--model_prefix=" + prefix, "--vocab_size=300", "--character_coverage=0.9995", "--minloglevel=2",
			}, kind.flags...)...)
			model := prefix + ".model"
			if kind.change != nil {
				alter(t, model, kind.change)
			}
			compareKind(t, model, lines)
		})
	}
}

func compareKind(t *testing.T, model string, lines []string) {
	u, err := ReadUnigram(model)
	if err != nil {
		t.Fatal(err)
	}
	wrong := 0
	report := func(format string, arguments ...any) {
		if wrong++; wrong <= 5 {
			t.Errorf(format, arguments...)
		}
	}
	idLines := filter(t, lines, "spm_encode", "--model="+model, "--output_format=id")
	decoded := filter(t, idLines, "spm_decode", "--model="+model, "--input_format=id")
	var tokens []Token
	for i, line := range lines {
		tokens = u.AppendTokens(tokens[:0], line)
		ids := idsOf(tokens)
		if got := strings.Trim(fmt.Sprint(ids), "[]"); got != idLines[i] {
			report("Encode(%q)\n got %s\nwant %s (spm_encode)", line, got, idLines[i])
		}
		if again := u.Encode(line); !slices.Equal(again, ids) {
			report("%q: Encode gives %v, AppendTokens %v", line, again, ids)
		}
		if got := u.Decode(ids); got != decoded[i] {
			report("Decode(%v)\n got %q\nwant %q (spm_decode)", ids, got, decoded[i])
		}
		if err := checkOffsets(line, tokens); err != nil {
			report("%q: %v", line, err)
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d lines differ", wrong, len(lines))
	}
}

// Models of other kinds are refused by name.
func TestRefusesOtherKinds(t *testing.T) {
	dir := t.TempDir()
	input := filepath.Join(dir, "input")
	if err := os.WriteFile(input, []byte(strings.Join(trainingText(300), "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
	for kind, name := range map[string]string{"bpe": "BPE", "word": "word", "char": "char"} {
		prefix := filepath.Join(dir, kind)
		sentencePiece(t, "", "spm_train", "--input="+input, "--model_prefix="+prefix, "--vocab_size=100", "--hard_vocab_limit=false",
			"--model_type="+kind, "--minloglevel=2")
		_, err := ReadUnigram(prefix + ".model")
		if err == nil || !strings.Contains(err.Error(), "got a "+name+" model, want a unigram model") || !strings.Contains(err.Error(), prefix) {
			t.Errorf("%s: got error %v, want one with the file and the kind", kind, err)
		}
	}
}
