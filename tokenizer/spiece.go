package tokenizer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// A pieceType is the enum ModelProto.SentencePiece.Type.
type pieceType int32

const (
	normalPiece      pieceType = 1
	unknownPiece     pieceType = 2
	controlPiece     pieceType = 3 // never matched in text
	userDefinedPiece pieceType = 4 // always one piece, whatever its score
	unusedPiece      pieceType = 5
	bytePiece        pieceType = 6
)

// largestPiece is the longest text of a piece in bytes; those that are trained have 16 characters at most.
const largestPiece = 1 << 16

// A piece is an entry of a vocabulary; its id is its index.
type piece struct {
	text  string
	score float32 // natural logarithm of its probability
	kind  pieceType
}

// normalizerSpec says how text is changed before it is cut into pieces.
type normalizerSpec struct {
	name                   string
	precompiledCharsmap    []byte
	addDummyPrefix         bool
	removeExtraWhitespaces bool
	escapeWhitespaces      bool
}

// modelProto is what is used of a spiece.model: the message ModelProto of sentencepiece_model.proto.
type modelProto struct {
	pieces       []piece
	ids          map[string]int32
	trainer      trainerSpec
	normalizer   normalizerSpec
	denormalizer normalizerSpec // its charsmap is applied to decoded text
}

// trainerSpec holds what a vocabulary was trained with, as far as it is written by [Train] or decides how to encode.
type trainerSpec struct {
	modelType          int32
	vocabSize          int32
	characterCoverage  float32
	byteFallback       bool
	whitespaceAsSuffix bool
	controlSymbols     []string
	userDefinedSymbols []string
	unknownID          int32
	bosID, eosID       int32 // -1 for none
	padID              int32
	unknownSurface     string // what the unknown piece is decoded to
	unknownPiece       string
	padPiece           string
}

// Field numbers of sentencepiece_model.proto.
const (
	fieldPieces, fieldTrainerSpec, fieldNormalizerSpec, fieldDenormalizerSpec = 1, 2, 3, 5
	fieldPiece, fieldScore, fieldType                                         = 1, 2, 3

	fieldModelType          = 3
	fieldVocabSize          = 4
	fieldCharacterCoverage  = 10
	fieldWhitespaceAsSuffix = 24
	fieldControlSymbols     = 30
	fieldUserDefinedSymbols = 31
	fieldByteFallback       = 35
	fieldUnknownID          = 40
	fieldBOSID              = 41
	fieldEOSID              = 42
	fieldPadID              = 43
	fieldUnknownSurface     = 44
	fieldUnknownPiece       = 45
	fieldPadPiece           = 48

	fieldNormalizerName         = 1
	fieldPrecompiledCharsmap    = 2
	fieldAddDummyPrefix         = 3
	fieldRemoveExtraWhitespaces = 4
	fieldEscapeWhitespaces      = 5
)

var modelTypes = map[int32]string{1: "unigram", 2: "BPE", 3: "word", 4: "char"}

// parseModel reads a ModelProto and refuses what is damaged and what a unigram model is not.
func parseModel(data []byte) (*modelProto, error) {
	m := &modelProto{
		trainer: trainerSpec{modelType: 1, unknownID: 0, bosID: 1, eosID: 2, padID: -1, unknownSurface: unknownSurface},
		normalizer: normalizerSpec{
			addDummyPrefix: true, removeExtraWhitespaces: true, escapeWhitespaces: true,
		},
	}
	if len(data) == 0 {
		return nil, errors.New("the file is empty, want a SentencePiece model")
	}
	const usualPiece = 20 // bytes in the file
	m.pieces = make([]piece, 0, len(data)/usualPiece)
	var hasTrainer, hasNormalizer bool
	err := eachField(data, func(f field) error {
		switch {
		case f.is(fieldPieces, protowire.BytesType):
			p, err := parsePiece(f.bytes)
			m.pieces = append(m.pieces, p)
			if err != nil {
				return fmt.Errorf("piece %d: %w", len(m.pieces)-1, err)
			}
		case f.is(fieldTrainerSpec, protowire.BytesType):
			hasTrainer = true
			if err := m.trainer.parse(f.bytes); err != nil {
				return fmt.Errorf("trainer_spec: %w", err)
			}
		case f.is(fieldNormalizerSpec, protowire.BytesType):
			hasNormalizer = true
			if err := m.normalizer.parse(f.bytes); err != nil {
				return fmt.Errorf("normalizer_spec: %w", err)
			}
		case f.is(fieldDenormalizerSpec, protowire.BytesType):
			if err := m.denormalizer.parse(f.bytes); err != nil {
				return fmt.Errorf("denormalizer_spec: %w", err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("not a SentencePiece model, or a damaged one: %w", err)
	}
	if !hasTrainer || !hasNormalizer {
		return nil, fmt.Errorf("the file ends after %d pieces, without trainer_spec or normalizer_spec: "+
			"it is cut off or no SentencePiece model", len(m.pieces))
	}
	return m, m.check()
}

// check refuses models that this package cannot encode with.
func (m *modelProto) check() error {
	if m.trainer.modelType != 1 {
		return fmt.Errorf("got a %s model, want a unigram model", modelTypes[m.trainer.modelType])
	}
	if len(m.pieces) == 0 {
		return errors.New("the model has no pieces; the file is cut off or no SentencePiece model")
	}
	m.ids = make(map[string]int32, len(m.pieces))
	unknown := 0
	var bytes [256]bool
	for id, p := range m.pieces {
		if first, double := m.ids[p.text]; double {
			return fmt.Errorf("pieces %d and %d are both %q, want each once", first, id, p.text)
		}
		m.ids[p.text] = int32(id)
		switch {
		case p.kind == unknownPiece:
			unknown++
		case p.kind != bytePiece:
		case !m.trainer.byteFallback:
			return fmt.Errorf("piece %d is the byte %q in a model without byte fallback; the file is damaged", id, p.text)
		case byteOf(p.text) < 0:
			return fmt.Errorf("piece %d is the byte %q, want <0x00> to <0xFF>", id, p.text)
		default:
			bytes[byteOf(p.text)] = true
		}
	}
	if unknown != 1 {
		return fmt.Errorf("the model has %d unknown pieces, want 1", unknown)
	}
	if missing := slices.Index(bytes[:], false); m.trainer.byteFallback && missing >= 0 {
		return fmt.Errorf("the model has byte fallback, but no piece <0x%02X>; the file is damaged", missing)
	}
	return nil
}

// byteOf returns the byte that a piece like <0x0A> stands for; -1 for others.
func byteOf(piece string) int {
	if len(piece) != len("<0x0A>") || piece[:3] != "<0x" || piece[5] != '>' || strings.ToUpper(piece[3:5]) != piece[3:5] {
		return -1
	}
	c, err := strconv.ParseUint(piece[3:5], 16, 8)
	if err != nil {
		return -1
	}
	return int(c)
}

func parsePiece(data []byte) (piece, error) {
	p := piece{kind: normalPiece}
	err := eachField(data, func(f field) error {
		switch {
		case f.is(fieldPiece, protowire.BytesType):
			p.text = view(f.bytes)
		case f.is(fieldScore, protowire.Fixed32Type):
			p.score = math.Float32frombits(uint32(f.number))
		case f.is(fieldType, protowire.VarintType):
			p.kind = pieceType(f.number)
		}
		return nil
	})
	switch {
	case err != nil:
		return p, err
	case len(p.text) > largestPiece:
		return p, fmt.Errorf("its text has %d bytes, want at most %d; the file is damaged", len(p.text), largestPiece)
	case p.text == "" || !utf8.ValidString(p.text):
		return p, fmt.Errorf("its text is %q, want UTF-8 that is not empty", p.text)
	case math.IsNaN(float64(p.score)) || math.IsInf(float64(p.score), 0):
		return p, fmt.Errorf("%q has score %v, want a finite one", p.text, p.score)
	case p.kind < normalPiece || p.kind > bytePiece:
		return p, fmt.Errorf("%q has type %d, want 1 to 6", p.text, p.kind)
	}
	return p, nil
}

func (t *trainerSpec) parse(data []byte) error {
	return eachField(data, func(f field) error {
		switch {
		case f.is(fieldModelType, protowire.VarintType):
			t.modelType = int32(f.number)
			if modelTypes[t.modelType] == "" {
				return fmt.Errorf("model_type is %d, want 1 to 4", t.modelType)
			}
		case f.is(fieldByteFallback, protowire.VarintType):
			t.byteFallback = f.number != 0
		case f.is(fieldWhitespaceAsSuffix, protowire.VarintType):
			t.whitespaceAsSuffix = f.number != 0
		case f.is(fieldUnknownSurface, protowire.BytesType):
			t.unknownSurface = string(f.bytes)
		}
		return nil
	})
}

func (n *normalizerSpec) parse(data []byte) error {
	return eachField(data, func(f field) error {
		switch {
		case f.is(fieldNormalizerName, protowire.BytesType):
			n.name = string(f.bytes)
		case f.is(fieldPrecompiledCharsmap, protowire.BytesType):
			n.precompiledCharsmap = f.bytes
		case f.is(fieldAddDummyPrefix, protowire.VarintType):
			n.addDummyPrefix = f.number != 0
		case f.is(fieldRemoveExtraWhitespaces, protowire.VarintType):
			n.removeExtraWhitespaces = f.number != 0
		case f.is(fieldEscapeWhitespaces, protowire.VarintType):
			n.escapeWhitespaces = f.number != 0
		}
		return nil
	})
}

// A field is one field of a protobuf message: bytes for length-delimited ones, number for all others.
type field struct {
	id     protowire.Number
	wire   protowire.Type
	bytes  []byte
	number uint64
}

func (f field) is(id protowire.Number, wire protowire.Type) bool { return f.id == id && f.wire == wire }

// eachField calls visit for each field of a message, until one fails.
func eachField(message []byte, visit func(field) error) error {
	for offset := 0; offset < len(message); {
		rest := message[offset:]
		id, wire, n := protowire.ConsumeTag(rest)
		if n < 0 {
			return fmt.Errorf("byte %d of %d: %w", offset, len(message), protowire.ParseError(n))
		}
		size := protowire.ConsumeFieldValue(id, wire, rest[n:])
		if size < 0 {
			return fmt.Errorf("byte %d of %d: field %d: %w", offset, len(message), id, protowire.ParseError(size))
		}
		f := field{id: id, wire: wire}
		value := rest[n : n+size]
		switch wire {
		case protowire.BytesType:
			f.bytes, _ = protowire.ConsumeBytes(value)
		case protowire.VarintType:
			f.number, _ = protowire.ConsumeVarint(value)
		case protowire.Fixed32Type:
			f.number = uint64(binary.LittleEndian.Uint32(value))
		case protowire.Fixed64Type:
			f.number = binary.LittleEndian.Uint64(value)
		}
		if err := visit(f); err != nil {
			return err
		}
		offset += n + size
	}
	return nil
}

// marshal returns the bytes of a spiece.model, with the fields in the order of their numbers.
func (m *modelProto) marshal() []byte {
	var out []byte
	for _, p := range m.pieces {
		var b []byte
		b = appendString(b, fieldPiece, p.text)
		b = appendFloat(b, fieldScore, p.score)
		if p.kind != normalPiece {
			b = appendVarint(b, fieldType, uint64(p.kind))
		}
		out = appendString(out, fieldPieces, string(b))
	}
	out = appendString(out, fieldTrainerSpec, string(m.trainer.marshal()))
	return appendString(out, fieldNormalizerSpec, string(m.normalizer.marshal()))
}

func (t *trainerSpec) marshal() []byte {
	var b []byte
	b = appendVarint(b, fieldModelType, uint64(t.modelType))
	b = appendVarint(b, fieldVocabSize, uint64(t.vocabSize))
	b = appendFloat(b, fieldCharacterCoverage, t.characterCoverage)
	for _, s := range t.controlSymbols {
		b = appendString(b, fieldControlSymbols, s)
	}
	for _, s := range t.userDefinedSymbols {
		b = appendString(b, fieldUserDefinedSymbols, s)
	}
	b = appendVarint(b, fieldUnknownID, uint64(int64(t.unknownID)))
	b = appendVarint(b, fieldBOSID, uint64(int64(t.bosID)))
	b = appendVarint(b, fieldEOSID, uint64(int64(t.eosID)))
	b = appendVarint(b, fieldPadID, uint64(int64(t.padID)))
	b = appendString(b, fieldUnknownPiece, t.unknownPiece)
	return appendString(b, fieldPadPiece, t.padPiece)
}

func (n *normalizerSpec) marshal() []byte {
	var b []byte
	b = appendString(b, fieldNormalizerName, n.name)
	b = appendString(b, fieldPrecompiledCharsmap, string(n.precompiledCharsmap))
	b = appendVarint(b, fieldAddDummyPrefix, protowire.EncodeBool(n.addDummyPrefix))
	b = appendVarint(b, fieldRemoveExtraWhitespaces, protowire.EncodeBool(n.removeExtraWhitespaces))
	return appendVarint(b, fieldEscapeWhitespaces, protowire.EncodeBool(n.escapeWhitespaces))
}

func appendString(b []byte, id protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, id, protowire.BytesType), s)
}

func appendVarint(b []byte, id protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, id, protowire.VarintType), v)
}

func appendFloat(b []byte, id protowire.Number, v float32) []byte {
	return protowire.AppendFixed32(protowire.AppendTag(b, id, protowire.Fixed32Type), math.Float32bits(v))
}
