// Package corpus is text on its way to a model: documents of sentences.
//
//	inputs.go     files and directories, decompressed, as lines
//	reader.go     documents from lines, from prose and from JSON lines, and back
//	prose.go      paragraphs of plain text and markdown
//	sentences.go  paragraphs cut into sentences
//	tokens.go     a corpus as ids in memory
//	inorder.go    work shared among goroutines, its results in order
//	godoc.go      real English on every machine with Go: the doc comments of its toolchain
package corpus
