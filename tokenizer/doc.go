// Package tokenizer turns text into the ids of a vocabulary and back, and trains vocabularies.
//
//	text ──Rules──▶ prepared text ──normalizer──▶ ▁one▁line ──Viterbi──▶ pieces ──digit-comma rule──▶ ids
//
// A vocabulary is a SentencePiece unigram model, a spiece.model file. Its arithmetic is SentencePiece's, so ids agree
// with spm_encode on every line; ALBERT's own rules around it are those of transformers' slow AlbertTokenizer. Or it is
// WordPiece, a vocab.txt, with the rules of the slow BertTokenizer; or a tokenizer.json, as the library tokenizers runs it.
//
//	tokenizer.go    the interface, special tokens around segments
//	albert.go       ALBERT's tokenizer: rules.go what is done to text first
//	unigram.go      a unigram model: segment.go the most probable pieces of a text
//	normalizer.go   Unicode rules and white space before that, and where each byte came from
//	charsmap.go     the Unicode rules nmt_nfkc, made from the Unicode tables
//	doublearray.go  the trie of both
//	spiece.go       the file format
//	files.go        saving
//	trainer.go      training a vocabulary: words.go the text, seeds.go the first pieces, expectation.go and
//	                pruning.go which of them stay
//
//	open.go         which file of a directory is used
//	wordpiece.go    WordPiece and BERT's tokenizer: basic.go its words, forms.go Unicode's forms with places kept,
//	                wordpiece_trainer.go training
//	json.go         a tokenizer.json: jsonadded.go added tokens, jsonnormalizer.go normalizers, jsonsplit.go pre-tokenizers,
//	                jsonunigram.go its Unigram, jsondecoder.go decoders
//
// Kudo and Richardson, "SentencePiece", arXiv:1808.06226; Kudo, "Subword Regularization", arXiv:1804.10959.
package tokenizer
