// Package corpus is text on its way to a model: documents of sentences, and their ids.
//
//	inputs.go     files and directories, decompressed, as lines
//	reader.go     documents from lines, from prose and from JSON lines, and back
//	prose.go      paragraphs of plain text and markdown
//	sentences.go  paragraphs cut into sentences
//	tokens.go     a corpus as ids in memory
//	blocks.go     a corpus as ids in blocks, in memory or in files
//	prepare.go    text to a directory of shards, restartable
//	shards.go     a shard, Parquet of ids, and the reading of a directory of them
//	manifest.go   what a directory of shards is made of
//	files.go      files that appear whole or not at all
//	lock_unix.go  one preparation of a directory at a time
//	inorder.go    work shared among goroutines, its results in order
//	godoc.go      real English on every machine with Go: the doc comments of its toolchain
package corpus
