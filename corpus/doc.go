// Package corpus is text on its way to a model: documents of sentences.
//
//	reader.go     documents from files, one sentence a line and a blank line between documents, and back
//	tokens.go     a corpus as ids in memory
//	inorder.go    work shared among goroutines, its results in order
//	sentences.go  English paragraphs cut into sentences
//	godoc.go      real English on every machine with Go: the doc comments of its toolchain
package corpus
