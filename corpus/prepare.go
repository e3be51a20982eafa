package corpus

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"goalbert/tokenizer"
)

// PrepareOptions decide what the shards are. Those with a JSON name must be the same when work goes on.
type PrepareOptions struct {
	TextOptions
	Deduplicate bool `json:"deduplicate"`  // leave out documents whose text came before
	ShardTokens int  `json:"shard-tokens"` // a shard ends with the block that brings it to so many
	BlockTokens int  `json:"block-tokens"` // BlockTokens, except in tests

	Threads  int          `json:"-"` // the result does not depend on it
	Progress func(Counts) `json:"-"` // called after each block, if not nil
}

// DefaultPrepareOptions are shards of 16 Mi tokens.
func DefaultPrepareOptions() PrepareOptions {
	return PrepareOptions{TextOptions: DefaultTextOptions(), ShardTokens: 16 << 20, BlockTokens: BlockTokens, Threads: 1}
}

// Validate reports what is wrong with the options.
func (o *PrepareOptions) Validate() error {
	for _, r := range []struct {
		name  string
		value int
	}{{"shard-tokens", o.ShardTokens}, {"block-tokens", o.BlockTokens}, {"threads", o.Threads}} {
		if r.value < 1 {
			return fmt.Errorf("corpus: prepare: %s is %d, want at least 1", r.name, r.value)
		}
	}
	return o.TextOptions.Validate()
}

// Prepare turns files, and the text files below directories, into a directory of shards: Parquet files of ids. Each
// shard appears when it is whole. If work on the directory was interrupted, it goes on after the last shard, provided
// that options, tokenizer and what was read are the same; if it was complete, nothing is done. The shards depend on text,
// tokenizer and options alone. Memory does not depend on the size of the text, but for 16 bytes and overhead a document
// where repeated ones are left out.
func Prepare(
	ctx context.Context, t tokenizer.Tokenizer, paths []string, directory string, o PrepareOptions,
) (*Manifest, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	files, err := filesBeside(directory, paths)
	if err != nil {
		return nil, err
	}
	p := &preparation{
		manifest: &Manifest{Format: manifestFormat, Options: o}, tokenizer: t, files: files, directory: directory,
	}
	if p.manifest.Inputs, err = statInputs(files); err != nil {
		return nil, err
	}
	if p.manifest.Tokenizer, err = hashTokenizer(t); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(directory, 0o777); err != nil {
		return nil, fmt.Errorf("corpus: prepare: %w", err)
	}
	unlock, err := lockDirectory(directory)
	if err != nil {
		return nil, err
	}
	defer unlock()
	if err := p.begin(); err != nil {
		return nil, err
	}
	if p.manifest.Complete {
		return p.manifest, nil
	}
	if err := p.run(ctx); err != nil {
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			return nil, fmt.Errorf("corpus: prepare: interrupted with %d shards whole in %s; give the same command again, "+
				"it goes on: %w", len(p.manifest.Shards), directory, ctx.Err())
		}
		return nil, err
	}
	return p.manifest, nil
}

// preparation is work on a directory of shards.
type preparation struct {
	manifest  *Manifest // as it was last written
	tokenizer tokenizer.Tokenizer
	files     []string
	directory string

	seen     map[[16]byte]struct{} // hashes of the documents that were written, if repeated ones are left out
	repeated int                   // left out since the last document
	code     int                   // lines left out with them

	counts      Counts
	shard       *shardWriter // nil between shards
	shardTokens int
	blockTokens int
	last        position // after the last document that was written
}

// begin starts a directory, or takes up the work on one.
func (p *preparation) begin() error {
	if !IsShards(p.directory) {
		if err := p.checkEmpty(); err != nil {
			return err
		}
		return p.start()
	}
	begun, err := ReadManifest(p.directory)
	if err != nil {
		return err
	}
	if len(begun.Shards) == 0 && !begun.Complete { // nothing would be lost
		return p.start()
	}
	if err := begun.resumable(p.directory, p.manifest); err != nil {
		return err
	}
	if err := begun.verify(p.directory); err != nil {
		return err
	}
	begun.Options, begun.Inputs = p.manifest.Options, p.manifest.Inputs
	p.manifest, p.counts = begun, begun.Counts
	return removePartial(p.directory)
}

// checkEmpty refuses a directory that holds anything but what a kill leaves of the first manifest.
func (p *preparation) checkEmpty() error {
	entries, err := os.ReadDir(p.directory)
	if err != nil {
		return fmt.Errorf("corpus: prepare: %w", err)
	}
	for _, e := range entries {
		if !ownPartial.MatchString(e.Name()) {
			return fmt.Errorf("corpus: prepare: %s holds %s and is no directory of shards; name an empty or a new directory",
				p.directory, e.Name())
		}
	}
	return nil
}

// start makes the first manifest, and then the tokenizer, so that what has no manifest was made by somebody else.
func (p *preparation) start() error {
	if err := removePartial(p.directory); err != nil {
		return err
	}
	if err := p.manifest.write(p.directory); err != nil {
		return err
	}
	return saveTokenizer(p.tokenizer, p.directory)
}

// run makes the shards that are missing.
func (p *preparation) run(ctx context.Context) error {
	defer func() {
		if p.shard != nil {
			p.shard.abort()
		}
	}()
	if err := p.readHashes(); err != nil {
		return err
	}
	var failed error
	collect := func(batch []encodedText) bool {
		for i := range batch {
			if failed = p.add(&batch[i]); failed != nil {
				return false
			}
		}
		return true
	}
	work := func(batch []hashedText) []encodedText {
		all := make([]encodedText, len(batch))
		for i := range batch {
			all[i] = encodeText(p.tokenizer, &batch[i])
		}
		return all
	}
	distinct := p.distinct(texts(p.files, p.manifest.Options.TextOptions, p.manifest.Next))
	err := inOrder(ctx, inBatches(distinct, hashedText.size), p.manifest.Options.Threads, work, collect)
	if err = cmp.Or(failed, err); err != nil {
		return err
	}
	if p.shard != nil {
		if err := p.endShard(); err != nil {
			return err
		}
	}
	if p.counts.Documents == 0 {
		return errors.New("corpus: prepare: the corpus is empty, want at least one sentence; check the input files")
	}
	p.counts.Repeated += int64(p.repeated)
	p.counts.CodeLines += int64(p.code)
	p.manifest.Counts, p.manifest.Complete = p.counts, true
	p.manifest.Next = position{File: len(p.files)}
	return p.manifest.write(p.directory)
}

// readHashes recalls the documents of finished shards.
func (p *preparation) readHashes() error {
	if !p.manifest.Options.Deduplicate {
		return nil
	}
	p.seen = map[[16]byte]struct{}{}
	for _, s := range p.manifest.Shards {
		hashes, err := textHashes(filepath.Join(p.directory, s.File))
		if err != nil {
			return err
		}
		for _, h := range hashes {
			p.seen[h] = struct{}{}
		}
	}
	return nil
}

// hashedText is a document and its hash.
type hashedText struct {
	text
	hash     [16]byte
	repeated int // left out before it
}

func (t hashedText) size() (bytes int) {
	for _, part := range t.parts {
		bytes += len(part)
	}
	return bytes
}

// distinct hashes documents and, where that is asked for, leaves out those that were written before; those that are being
// encoded are left to add, as without ids they are not written.
func (p *preparation) distinct(all iter.Seq2[text, error]) iter.Seq2[hashedText, error] {
	return func(yield func(hashedText, error) bool) {
		var buffer []byte
		for t, err := range all {
			if err != nil {
				yield(hashedText{}, err)
				return
			}
			buffer = buffer[:0]
			for _, part := range t.parts {
				buffer = append(append(buffer, part...), '\n')
			}
			sum := sha256.Sum256(buffer)
			h := hashedText{text: t, hash: [16]byte(sum[:16])}
			if p.seen != nil {
				if _, again := p.seen[h.hash]; again {
					p.repeated++
					p.code += t.code
					continue
				}
			}
			h.code += p.code
			h.repeated, p.repeated, p.code = p.repeated, 0, 0
			if !yield(h, nil) {
				return
			}
		}
	}
}

// encodedText is a document, where it stood and what it is as ids.
type encodedText struct {
	hashedText
	encoded
	unknown int
}

func encodeText(t tokenizer.Tokenizer, h *hashedText) encodedText {
	e := encodedText{hashedText: *h, encoded: encode(t, h.document())}
	unknown := t.Special().Unknown
	for _, id := range e.ids {
		if id == unknown {
			e.unknown++
		}
	}
	e.parts = nil
	return e
}

// add writes a document that has ids and was not written before, and ends the block and the shard that it fills.
func (p *preparation) add(e *encodedText) error {
	o := &p.manifest.Options
	p.counts.Repeated += int64(e.repeated)
	p.counts.CodeLines += int64(e.code)
	p.last = e.after
	if len(e.ids) == 0 {
		return nil
	}
	if p.seen != nil {
		if _, again := p.seen[e.hash]; again {
			p.counts.Repeated++
			return nil
		}
		p.seen[e.hash] = struct{}{}
	}
	if p.shard == nil {
		name := fmt.Sprintf("shard-%05d.parquet", len(p.manifest.Shards))
		var err error
		if p.shard, err = createShard(filepath.Join(p.directory, name)); err != nil {
			return err
		}
		p.shardTokens, p.blockTokens = 0, 0
	}
	err := p.shard.add(row{
		Document: p.counts.Documents, Source: strings.ToValidUTF8(p.files[e.file], "\ufffd"), TextHash: e.hash, IDs: e.ids,
		SentenceLengths: e.lengths,
	})
	if err != nil {
		return err
	}
	p.count(e)
	p.shardTokens += len(e.ids)
	p.blockTokens += len(e.ids)
	if p.blockTokens < o.BlockTokens {
		return nil
	}
	if err := p.shard.endBlock(); err != nil {
		return err
	}
	p.blockTokens = 0
	if o.Progress != nil {
		o.Progress(p.counts)
	}
	if p.shardTokens < o.ShardTokens {
		return nil
	}
	return p.endShard()
}

func (p *preparation) count(e *encodedText) {
	p.counts.Documents++
	p.counts.Sentences += int64(len(e.lengths))
	p.counts.Tokens += int64(len(e.ids))
	p.counts.UnknownTokens += int64(e.unknown)
	if e.cut {
		p.counts.Cut++
	}
	for _, length := range e.lengths {
		p.counts.SentenceLengths.add(int(length))
	}
}

// endShard makes the shard appear, and then the manifest that knows it.
func (p *preparation) endShard() error {
	s, err := p.shard.commit()
	p.shard = nil
	if err != nil {
		return err
	}
	p.manifest.Shards = append(p.manifest.Shards, s)
	p.manifest.Counts, p.manifest.Next = p.counts, p.last
	return p.manifest.write(p.directory)
}
