package corpus

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"goalbert/tokenizer"
)

// row is a document in a shard.
type row struct {
	Document        int64    `parquet:"document"` // its number in the corpus
	Source          string   `parquet:"source,dict"`
	TextHash        [16]byte `parquet:"text_hash"` // the first bytes of the SHA-256 of its lines
	IDs             []int32  `parquet:"ids,list"`
	SentenceLengths []int32  `parquet:"sentence_lengths,list"` // they sum to the number of ids
}

// The columns of row, in order.
const (
	documentColumn = iota
	sourceColumn
	hashColumn
	idsColumn
	lengthsColumn
)

// shardWriter writes a Parquet file whose row groups are blocks.
type shardWriter struct {
	file *atomicFile
	rows *parquet.GenericWriter[row]
}

func createShard(path string) (*shardWriter, error) {
	f, err := createFile(path)
	if err != nil {
		return nil, err
	}
	return &shardWriter{f, parquet.NewGenericWriter[row](f, parquet.Compression(&zstd.Codec{Level: zstd.SpeedFastest}),
		parquet.CreatedBy("goalbert", "1", "albert prepare"))}, nil
}

func (w *shardWriter) add(r row) error {
	if _, err := w.rows.Write([]row{r}); err != nil {
		return fmt.Errorf("corpus: write %s: %w", w.file.path, err)
	}
	return nil
}

func (w *shardWriter) endBlock() error {
	if err := w.rows.Flush(); err != nil {
		return fmt.Errorf("corpus: write %s: %w", w.file.path, err)
	}
	return nil
}

func (w *shardWriter) commit() (Shard, error) {
	if err := cmp.Or(w.rows.Close(), w.file.Flush()); err != nil {
		w.file.abort()
		return Shard{}, fmt.Errorf("corpus: write %s: %w", w.file.path, err)
	}
	s := Shard{File: filepath.Base(w.file.path), Bytes: w.file.bytes, SHA256: w.file.sum()}
	return s, w.file.commit()
}

func (w *shardWriter) abort() { w.file.abort() }

// Shards is a corpus in a directory of shards, read block by block.
type Shards struct {
	Manifest  *Manifest
	directory string
	blocks    []shardBlock
}

// shardBlock is a row group of a shard.
type shardBlock struct{ shard, group, documents int }

var _ Blocks = (*Shards)(nil)

// OpenShards opens a directory that [Prepare] has completed, and compares each shard with its SHA-256.
func OpenShards(directory string) (*Shards, error) {
	m, err := ReadManifest(directory)
	if err != nil {
		return nil, err
	}
	if !m.Complete {
		return nil, fmt.Errorf("corpus: %s is not complete, its preparation was interrupted; "+
			"give the same albert prepare again, it goes on", directory)
	}
	if err := m.verify(directory); err != nil {
		return nil, err
	}
	s := &Shards{Manifest: m, directory: directory}
	for i := range m.Shards {
		err := s.open(i, func(f *parquet.File) error {
			for group, g := range f.RowGroups() {
				s.blocks = append(s.blocks, shardBlock{i, group, int(g.NumRows())})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return s, nil
}

// open reads the footer of a shard and hands the file to use.
func (s *Shards) open(shard int, use func(*parquet.File) error) error {
	path := filepath.Join(s.directory, s.Manifest.Shards[shard].File)
	err := openShard(path, use)
	if err != nil {
		return fmt.Errorf("corpus: read %s: %w", path, err)
	}
	return nil
}

func openShard(path string, use func(*parquet.File) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	file, err := parquet.OpenFile(f, info.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return err
	}
	if got, want := file.Schema().String(), parquet.SchemaOf(row{}).String(); got != want {
		return fmt.Errorf("its columns are %q, want %q", got, want)
	}
	return use(file)
}

// CheckTokenizer reports whether the ids are those of t.
func (s *Shards) CheckTokenizer(t tokenizer.Tokenizer) error {
	got, err := hashTokenizer(t)
	if err != nil {
		return err
	}
	if got != s.Manifest.Tokenizer {
		return fmt.Errorf("corpus: %s was prepared with another tokenizer than the one given; use %s, or prepare the text anew",
			s.directory, filepath.Join(s.directory, TokenizerDirectory))
	}
	return nil
}

// Len returns the number of blocks.
func (s *Shards) Len() int { return len(s.blocks) }

// Documents returns the number of documents of a block.
func (s *Shards) Documents(block int) int { return s.blocks[block].documents }

// Block reads a block.
func (s *Shards) Block(block int) (*Tokens, error) {
	if block < 0 || block >= s.Len() {
		return nil, fmt.Errorf("corpus: got block %d, want 0 to %d", block, s.Len()-1)
	}
	b := s.blocks[block]
	var t *Tokens
	err := s.open(b.shard, func(f *parquet.File) (err error) {
		t, err = readBlock(f.RowGroups()[b.group])
		return err
	})
	return t, err
}

// readBlock reads a row group.
func readBlock(g parquet.RowGroup) (*Tokens, error) {
	columns := g.ColumnChunks()
	t := &Tokens{SentenceStarts: []int{0}}
	err := eachPage(columns[idsColumn], func(p parquet.Page) error {
		data := p.Data()
		t.IDs = append(t.IDs, data.Int32()...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	end := 0
	err = eachPage(columns[lengthsColumn], func(p parquet.Page) error {
		data := p.Data()
		lengths := data.Int32()
		levels := p.RepetitionLevels()
		if len(levels) != len(lengths) {
			return fmt.Errorf("a page has %d repetition levels and %d sentence lengths", len(levels), len(lengths))
		}
		for i, length := range lengths {
			if levels[i] == 0 { // the first of its document
				t.DocumentStarts = append(t.DocumentStarts, len(t.SentenceStarts)-1)
			}
			if length < 1 {
				return fmt.Errorf("a sentence has %d tokens", length)
			}
			end += int(length)
			t.SentenceStarts = append(t.SentenceStarts, end)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	t.DocumentStarts = append(t.DocumentStarts, len(t.SentenceStarts)-1)
	if end != len(t.IDs) || t.Len() != int(g.NumRows()) {
		return nil, fmt.Errorf("a block of %d documents and %d ids has sentences of %d documents and %d ids",
			g.NumRows(), len(t.IDs), t.Len(), end)
	}
	return t, nil
}

func eachPage(c parquet.ColumnChunk, use func(parquet.Page) error) error {
	pages := c.Pages()
	defer pages.Close()
	for {
		p, err := pages.ReadPage()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		err = use(p)
		parquet.Release(p)
		if err != nil {
			return err
		}
	}
}

// textHashes returns those of all documents of a shard.
func textHashes(path string) ([][16]byte, error) {
	var hashes [][16]byte
	err := openShard(path, func(f *parquet.File) error {
		for _, g := range f.RowGroups() {
			err := eachPage(g.ColumnChunks()[hashColumn], func(p parquet.Page) error {
				data := p.Data()
				bytes, _ := data.FixedLenByteArray()
				for hash := range slices.Chunk(bytes, 16) {
					hashes = append(hashes, [16]byte(hash))
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("corpus: read %s: %w", path, err)
	}
	return hashes, nil
}
