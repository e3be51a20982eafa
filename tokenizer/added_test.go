package tokenizer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Tokens that were added to a vocabulary, in any of the files that say so, are refused by name; the model's own are not.
func TestAddedTokens(t *testing.T) {
	for _, kind := range []struct{ source, name, pad string }{
		{goldenDirectory + "/" + ModelFile, ModelFile, PadToken},
		{bertVocabulary, VocabFile, bertPadToken},
	} {
		vocabulary, err := os.ReadFile(kind.source)
		if err != nil {
			t.Fatal(err)
		}
		for _, test := range []struct{ file, text, want string }{
			{ConfigFile, `{"added_tokens_decoder": {"PAD": {"content": "NAME", "special": true}}}`, ""},
			{ConfigFile, `{"added_tokens_decoder": {"30000": {"content": "<drug>"}}}`, `added token 30000, "<drug>",`},
			{ConfigFile, `{"added_tokens_decoder": {"30000": {"content": "NAME"}}}`, `added token 30000, "NAME",`},
			{ConfigFile, `{"added_tokens_decoder": {"PAD": {"content": "NAME", "single_word": true}}}`, `added token PAD, "NAME",`},
			{ConfigFile, `{"additional_special_tokens": ["NAME"]}`, ""},
			{ConfigFile, `{"additional_special_tokens": [{"content": "<drug>"}]}`, `additional special token "<drug>"`},
			{ConfigFile, `{"mask_token": {"content": "<mask>"}}`, `"<mask>", which is not supported; want [MASK]`},
			{AddedTokensFile, `{}`, ""},
			{AddedTokensFile, `{"NAME": PAD}`, ""},
			{AddedTokensFile, `{"<drug>": 30000}`, `added token 30000, "<drug>",`},
			{AddedTokensFile, `{"NAME": 30000}`, `added token 30000, "NAME",`},
			{AddedTokensFile, `["<drug>"]`, "not valid JSON of a tokenizer"},
		} {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, kind.name), vocabulary, 0o644); err != nil {
				t.Fatal(err)
			}
			fill := strings.NewReplacer("PAD", "0", "NAME", kind.pad).Replace
			write(t, filepath.Join(dir, test.file), fill(test.text))
			_, err := Open(dir)
			switch want := fill(test.want); {
			case want == "" && err != nil:
				t.Errorf("%s with %s %s: %v", kind.name, test.file, fill(test.text), err)
			case want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), test.file)):
				t.Errorf("%s with %s %s: got error %v, want one with %q and the file", kind.name, test.file, fill(test.text), err, want)
			}
		}
	}
}
