package tokenizer

import (
	"encoding/json"
	"fmt"
	"strings"
)

// A decoder makes text of pieces.
type decoder func(pieces []string) string

func parseDecoder(data json.RawMessage) (decoder, error) {
	kind, err := typeOf(data)
	if err != nil {
		return nil, err
	}
	switch kind {
	case "":
		return func(pieces []string) string { return strings.Join(pieces, " ") }, nil
	case "Metaspace":
		m, err := parseMetaspace(data)
		return m.decode, err
	case "WordPiece":
		var w struct {
			Prefix  string
			Cleanup bool
		}
		if err := json.Unmarshal(data, &w); err != nil {
			return nil, err
		}
		return wordPieceDecoder(w.Prefix, w.Cleanup), nil
	}
	return nil, fmt.Errorf("%s: not supported, want Metaspace or WordPiece", kind)
}

// decode makes spaces of the replacement; those of the first piece are dropped where one was put in front.
func (m metaspace) decode(pieces []string) string {
	var b strings.Builder
	for i, piece := range pieces {
		space := " "
		if i == 0 && m.scheme != "never" {
			space = ""
		}
		b.WriteString(strings.ReplaceAll(piece, string(m.replacement), space))
	}
	return b.String()
}

// cleanUp removes the spaces that were put before punctuation, in each piece on its own as the library does.
var cleanUp = []string{
	" .", ".", " ?", "?", " !", "!", " ,", ",", " ' ", "'", " n't", "n't", " 'm", "'m", " do not", " don't", " 's", "'s",
	" 've", "'ve", " 're", "'re",
}

func wordPieceDecoder(prefix string, cleanup bool) decoder {
	return func(pieces []string) string {
		var b strings.Builder
		for i, piece := range pieces {
			if i > 0 {
				rest, continuing := strings.CutPrefix(piece, prefix)
				if piece = rest; !continuing {
					piece = " " + piece
				}
			}
			for i := 0; i < len(cleanUp) && cleanup; i += 2 {
				piece = strings.ReplaceAll(piece, cleanUp[i], cleanUp[i+1])
			}
			b.WriteString(piece)
		}
		return b.String()
	}
}
