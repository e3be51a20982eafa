// Package tokenizer turns text into the ids of a vocabulary and back, and trains vocabularies.
//
//	text ──Rules──▶ prepared text ──normalizer──▶ ▁one▁line ──Viterbi──▶ pieces ──digit-comma rule──▶ ids
//
// A vocabulary is a SentencePiece unigram model, a spiece.model file. Its arithmetic is SentencePiece's, so ids agree
// with spm_encode on every line; ALBERT's own rules around it are those of transformers' slow AlbertTokenizer.
//
//	tokenizer.go    the interface, special tokens around segments, opening a directory
//	albert.go       ALBERT's rules
//	unigram.go      the most probable pieces of a text
//	normalizer.go   Unicode rules and white space before that
//	charsmap.go     the Unicode rules nmt_nfkc, made from the Unicode tables
//	doublearray.go  the trie of both
//	spiece.go       the file format
//	files.go        saving
//	trainer.go      training a vocabulary: words.go the text, seeds.go the first pieces, expectation.go and
//	                pruning.go which of them stay
//
// Kudo and Richardson, "SentencePiece", arXiv:1808.06226; Kudo, "Subword Regularization", arXiv:1804.10959.
package tokenizer
