package tokenizer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// AddedTokensFile is where transformers before 4.34 wrote the tokens that were added to a vocabulary.
const AddedTokensFile = "added_tokens.json"

// addedToken is an entry of added_tokens_decoder in a tokenizer_config.json.
type addedToken struct {
	Content    string `json:"content"`
	LStrip     bool   `json:"lstrip"` // takes the white space before it
	RStrip     bool   `json:"rstrip"`
	Normalized bool   `json:"normalized"`
	SingleWord bool   `json:"single_word"`
	Special    bool   `json:"special"`
}

// specialText is a special token of a tokenizer_config.json, which is written as its text or as an object.
type specialText string

// UnmarshalJSON reads both.
func (s *specialText) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte("{")) {
		var token addedToken
		err := json.Unmarshal(data, &token)
		*s = specialText(token.Content)
		return err
	}
	return json.Unmarshal(data, (*string)(s))
}

// checkAddedTokens refuses what transformers would cut out of a text before the vocabulary is asked, other than the
// model's own special tokens, which are pad, unknown, [CLS], [SEP] and [MASK] in this order: tokens that were added in
// the files of dir have ids of their own, which t would not give.
func checkAddedTokens(t Tokenizer, dir string, special []string) error {
	var config struct {
		Pad        specialText           `json:"pad_token"`
		Unknown    specialText           `json:"unk_token"`
		CLS        specialText           `json:"cls_token"`
		SEP        specialText           `json:"sep_token"`
		MASK       specialText           `json:"mask_token"`
		Added      map[string]addedToken `json:"added_tokens_decoder"` // by id
		Additional []specialText         `json:"additional_special_tokens"`
	}
	var added map[string]int // by token
	if err := readJSON(filepath.Join(dir, ConfigFile), &config); err != nil {
		return err
	}
	if err := readJSON(filepath.Join(dir, AddedTokensFile), &added); err != nil {
		return err
	}
	refused := func(name, format string, arguments ...any) error {
		return fmt.Errorf("tokenizer: read %s: %s is not supported; want only %s, with their ids in the vocabulary",
			filepath.Join(dir, name), fmt.Sprintf(format, arguments...), strings.Join(special, " "))
	}
	own := func(token, id string) bool {
		piece, ok := t.ID(token)
		return ok && slices.Contains(special, token) && strconv.Itoa(int(piece)) == id
	}
	for i, token := range []specialText{config.Pad, config.Unknown, config.CLS, config.SEP, config.MASK} {
		if token != "" && string(token) != special[i] {
			return fmt.Errorf("tokenizer: read %s: a special token is %q, which is not supported; want %s",
				filepath.Join(dir, ConfigFile), token, special[i])
		}
	}
	for _, id := range slices.Sorted(maps.Keys(config.Added)) {
		if token := config.Added[id]; !own(token.Content, id) || token.SingleWord {
			return refused(ConfigFile, "added token %s, %q,", id, token.Content)
		}
	}
	for _, token := range config.Additional {
		if !slices.Contains(special, string(token)) {
			return refused(ConfigFile, "additional special token %q", token)
		}
	}
	for _, token := range slices.Sorted(maps.Keys(added)) {
		if id := strconv.Itoa(added[token]); !own(token, id) {
			return refused(AddedTokensFile, "added token %s, %q,", id, token)
		}
	}
	return nil
}

// readJSON reads a file into a value, which a missing file leaves as it is.
func readJSON(path string, into any) error {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("tokenizer: %w", err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("tokenizer: read %s: not valid JSON of a tokenizer: %w", path, err)
	}
	return nil
}
