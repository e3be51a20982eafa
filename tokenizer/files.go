package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// ConfigFile is the name of the file that tells transformers which tokenizer a checkpoint has, and its rules.
const ConfigFile = "tokenizer_config.json"

// Save writes the files of t into an existing directory, each whole or not at all: spiece.model, vocab.txt or
// tokenizer.json, byte for byte as it was read or trained, and for the first two the tokenizer_config.json that
// transformers reads.
func Save(t Tokenizer, dir string) error {
	saver, ok := t.(interface{ save(dir string) error })
	if !ok {
		return fmt.Errorf("tokenizer: save %s: got a %T, want a tokenizer of this package", dir, t)
	}
	return saver.save(dir)
}

func (t *Albert) save(dir string) error {
	config, err := json.MarshalIndent(t.config(), "", "  ")
	if err != nil {
		return fmt.Errorf("tokenizer: save %s: %w", dir, err)
	}
	if err := writeFile(filepath.Join(dir, ModelFile), t.unigram.data); err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, ConfigFile), append(config, '\n'))
}

// tokenizerConfig is the part of tokenizer_config.json that AlbertTokenizer reads.
type tokenizerConfig struct {
	TokenizerClass string                `json:"tokenizer_class"`
	DoLowerCase    *bool                 `json:"do_lower_case"`
	RemoveSpace    *bool                 `json:"remove_space"`
	KeepAccents    *bool                 `json:"keep_accents"`
	BOSToken       string                `json:"bos_token"`
	EOSToken       string                `json:"eos_token"`
	UnknownToken   string                `json:"unk_token"`
	SEPToken       string                `json:"sep_token"`
	PadToken       string                `json:"pad_token"`
	CLSToken       string                `json:"cls_token"`
	MASKToken      string                `json:"mask_token"`
	AddedTokens    map[string]addedToken `json:"added_tokens_decoder"` // by id
}

func (t *Albert) config() tokenizerConfig {
	c := tokenizerConfig{
		TokenizerClass: "AlbertTokenizer",
		DoLowerCase:    &t.rules.LowerCase,
		RemoveSpace:    &t.rules.RemoveSpace,
		KeepAccents:    &t.rules.KeepAccents,
		BOSToken:       CLSToken,
		EOSToken:       SEPToken,
		UnknownToken:   UnknownToken,
		SEPToken:       SEPToken,
		PadToken:       PadToken,
		CLSToken:       CLSToken,
		MASKToken:      MASKToken,
		AddedTokens:    make(map[string]addedToken),
	}
	for _, token := range specialTokens {
		id, _ := t.unigram.ID(token)
		c.AddedTokens[strconv.Itoa(int(id))] = addedToken{Content: token, LStrip: token == MASKToken, Special: true}
	}
	return c
}

// readRules reads the rules of a tokenizer_config.json; what it does not say, or a missing file, leaves the default.
func readRules(path string) (Rules, error) {
	rules := DefaultRules()
	var c struct {
		DoLowerCase *bool `json:"do_lower_case"`
		RemoveSpace *bool `json:"remove_space"`
		KeepAccents *bool `json:"keep_accents"`
	}
	if err := readJSON(path, &c); err != nil {
		return rules, err
	}
	for rule, value := range map[*bool]*bool{
		&rules.LowerCase: c.DoLowerCase, &rules.RemoveSpace: c.RemoveSpace, &rules.KeepAccents: c.KeepAccents,
	} {
		if value != nil {
			*rule = *value
		}
	}
	return rules, nil
}

// writeFile makes path appear whole or not at all, replacing what was there.
func writeFile(path string, data []byte) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("tokenizer: write %s: %w; nothing that was there before is lost", path, err)
		}
	}()
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".partial-")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}
