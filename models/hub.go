package models

import (
	"cmp"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/gomlx/go-huggingface/hub"
)

// Models of the Hugging Face Hub. The cache is the one of huggingface_hub, which both fill and both read:
//
//	models--OWNER--NAME/
//	    refs/REVISION           the commit that a revision was
//	    blobs/ETAG              the files by their checksums; ETAG.incomplete while they come
//	    snapshots/COMMIT/FILE   links to them
//
// What is there is taken as it is and nothing is asked. The library go-huggingface knows the hub: where it is
// (HF_ENDPOINT), what a model's commit and files are, their addresses. The bytes are fetched here, because its transfer
// takes a connection that was cut for the end of a file, begins again from nothing, and compares no checksum.

// hubModel is one revision of a model, and where it is kept.
type hubModel struct {
	id, revision string
	folder       string // of the cache
	locks        string
	token        string
	progress     Progress
}

var (
	hubNamePattern = regexp.MustCompile(`^(\w[\w.-]*/\w[\w.-]*?)(?:@(\w[\w./-]*))?$`)
	commitPattern  = regexp.MustCompile(`^[0-9a-f]{40}$`)
	shardPattern   = regexp.MustCompile(`^model-\d{5}-of-\d{5}\.safetensors$`)
)

// hubTokenizerFiles are what is fetched besides configuration and weights, where a model has them: three kinds of
// vocabulary, and what goes with them.
var hubTokenizerFiles = []string{
	"spiece.model", "vocab.txt", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
}

// How a transfer that fails is tried again. Tests shorten the times.
var (
	hubAttempts = 4           // in a row without a byte
	hubPause    = time.Second // before the second; longer before each further one
	hubIdle     = time.Minute // without a byte, after which a connection is given up
)

// parseHubName divides owner/name@revision; without a revision it is main.
func parseHubName(name string) (id, revision string, ok bool) {
	parts := hubNamePattern.FindStringSubmatch(name)
	if parts == nil || strings.Contains(name, "..") || strings.Contains(name, "--") {
		return "", "", false
	}
	return parts[1], cmp.Or(parts[2], "main"), true
}

// hubCache returns the directory of the cache, as huggingface_hub finds it.
func hubCache() (string, error) {
	if dir := os.Getenv("HF_HUB_CACHE"); dir != "" {
		return dir, nil
	}
	if dir := os.Getenv("HF_HOME"); dir != "" {
		return filepath.Join(dir, "hub"), nil
	}
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("models: find the cache of the hub: %w; set HF_HOME", err)
		}
		cache = filepath.Join(home, ".cache")
	}
	return filepath.Join(cache, "huggingface", "hub"), nil
}

// findOnHub returns the snapshot of a model in the cache, and fills it first where it is not whole.
func findOnHub(ctx context.Context, id, revision string, progress Progress) (string, error) {
	cache, err := hubCache()
	if err != nil {
		return "", err
	}
	if progress == nil {
		progress = func(string, int64, int64) {}
	}
	flat := "models--" + strings.ReplaceAll(id, "/", "--")
	h := &hubModel{
		id: id, revision: revision, progress: progress, token: os.Getenv("HF_TOKEN"),
		folder: filepath.Join(cache, flat), locks: filepath.Join(cache, ".locks", flat),
	}
	offline := slices.Contains([]string{"1", "ON", "YES", "TRUE"}, strings.ToUpper(os.Getenv("HF_HUB_OFFLINE")))
	if dir := h.cached(); dir != "" && (offline || hasVocabulary(dir)) {
		return dir, nil
	}
	if offline {
		return "", fmt.Errorf("models: find %s: no such directory; %s has no whole model of that name at revision %s, and HF_HUB_OFFLINE "+
			"forbids to download it; unset that, or give a directory", id, h.folder, revision)
	}
	dir, err := h.download(ctx)
	if err != nil {
		return "", fmt.Errorf("models: find %s: no such directory; as a model of the hub: %w", id, err)
	}
	return dir, nil
}

// inHubCache reports whether a directory lies in the cache.
func inHubCache(dir string) bool {
	cache, err := hubCache()
	if err != nil {
		return false
	}
	inside, err := filepath.Rel(cache, dir)
	return err == nil && filepath.IsLocal(inside)
}

func (h *hubModel) snapshot(commit string) string {
	return filepath.Join(h.folder, "snapshots", commit)
}

// hasVocabulary reports whether there is a tokenizer. Other programs fetch models without.
func hasVocabulary(dir string) bool {
	return slices.ContainsFunc(hubTokenizerFiles[:3], func(file string) bool { return exists(filepath.Join(dir, file)) })
}

// cached returns the snapshot of the revision if the model is whole, else nothing.
func (h *hubModel) cached() string {
	commit := h.revision
	if !commitPattern.MatchString(commit) {
		text, err := os.ReadFile(filepath.Join(h.folder, "refs", h.revision))
		commit = strings.TrimSpace(string(text))
		if err != nil || !commitPattern.MatchString(commit) {
			return ""
		}
	}
	dir := h.snapshot(commit)
	if !exists(filepath.Join(dir, ConfigFile)) {
		return ""
	}
	if exists(filepath.Join(dir, WeightsFile)) {
		return dir
	}
	_, shards, err := readIndex(filepath.Join(dir, IndexFile))
	if err != nil || slices.ContainsFunc(shards, func(file string) bool { return !exists(filepath.Join(dir, file)) }) {
		return ""
	}
	return dir
}

// hubListing is what the hub says of a model at a revision.
type hubListing struct {
	commit string
	files  map[string]bool
	base   string // what an address has before the file's name
}

// download fetches what a model needs into the cache: the configuration first, which may not be an ALBERT's, and the
// weights last, so that what is not whole is not taken for it.
func (h *hubModel) download(ctx context.Context) (string, error) {
	l, err := h.list(ctx)
	if err != nil {
		return "", err
	}
	dir := h.snapshot(l.commit)
	fetch := func(files ...string) error {
		for _, file := range files {
			if err := h.file(ctx, l, file, filepath.Join(dir, file)); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
		}
		return nil
	}
	if !l.files[ConfigFile] {
		return "", fmt.Errorf("it has no %s; only models of transformers are read", ConfigFile)
	}
	weights := WeightsFile
	if !l.files[weights] {
		weights = IndexFile
	}
	if !l.files[weights] {
		return "", h.noSafetensors(l)
	}
	if err := fetch(ConfigFile); err != nil {
		return "", err
	}
	if _, err := ReadConfig(dir); err != nil {
		return "", err
	}
	for _, file := range hubTokenizerFiles {
		if l.files[file] {
			if err := fetch(file); err != nil {
				return "", err
			}
		}
	}
	if err := fetch(weights); err != nil {
		return "", err
	}
	if weights == IndexFile {
		_, shards, err := readIndex(filepath.Join(dir, IndexFile))
		if err != nil {
			return "", err
		}
		for _, shard := range shards {
			if !shardPattern.MatchString(shard) || !l.files[shard] {
				return "", fmt.Errorf("%s names %s, which the model has not", IndexFile, shard)
			}
		}
		if err := fetch(shards...); err != nil {
			return "", err
		}
	}
	if h.revision == l.commit {
		return dir, nil
	}
	ref := filepath.Join(h.folder, "refs", h.revision)
	if err := os.MkdirAll(filepath.Dir(ref), 0o777); err != nil {
		return "", err
	}
	return dir, WriteFile(ref, func(w io.Writer) error {
		_, err := io.WriteString(w, l.commit)
		return err
	})
}

// noSafetensors says how to come from a model's pickles to a directory that is read.
func (h *hubModel) noSafetensors(l hubListing) error {
	for _, file := range pickled {
		if l.files[file] {
			return fmt.Errorf("its weights are pickles (%s), which can hold programs and are not read, and there is no %s; write a directory with "+
				"transformers: python3 -c %q, and give that", file, WeightsFile,
				"import transformers as t; n='"+h.id+"'; c=t.AutoConfig.from_pretrained(n); "+
					"getattr(t,c.architectures[0]).from_pretrained(n).save_pretrained('DIRECTORY')")
		}
	}
	return fmt.Errorf("it has neither %s nor %s", WeightsFile, IndexFile)
}

// list asks the hub for the commit of the revision and the names of its files. The library keeps what it was told in a
// directory of its own layout, which is removed again.
func (h *hubModel) list(ctx context.Context) (hubListing, error) {
	type answer struct {
		hubListing
		err error
	}
	var l hubListing
	err := h.persist(ctx, func() (bool, error) {
		answered := make(chan answer, 1)
		go func() { // the library cannot be interrupted
			l, err := h.ask()
			answered <- answer{l, err}
		}()
		select {
		case a := <-answered:
			l = a.hubListing
			return false, h.explain(a.err)
		case <-time.After(hubIdle):
			return false, errIdle
		case <-ctx.Done():
			return false, permanent{ctx.Err()}
		}
	})
	if err == nil && !commitPattern.MatchString(l.commit) {
		err = fmt.Errorf("the hub says that revision %s is commit %q, want 40 hexadecimal digits", h.revision, l.commit)
	}
	return l, err
}

func (h *hubModel) ask() (hubListing, error) {
	temporary, err := os.MkdirTemp("", "albert-hub-")
	if err != nil {
		return hubListing{}, err
	}
	defer os.RemoveAll(temporary)
	repo := hub.New(h.id).WithRevision(url.PathEscape(h.revision)).WithAuth(h.token).WithCacheDir(temporary)
	address, err := repo.FileURL(ConfigFile)
	if err != nil {
		return hubListing{}, err
	}
	l := hubListing{commit: repo.Info().CommitHash, base: strings.TrimSuffix(address, ConfigFile), files: map[string]bool{}}
	for _, file := range repo.Info().Siblings {
		l.files[file.Name] = true
	}
	return l, nil
}

var statusInText = regexp.MustCompile(`bad status code (\d{3})`)

// explain finds the status in an error of the library.
func (h *hubModel) explain(err error) error {
	if err == nil {
		return nil
	}
	if status := statusInText.FindStringSubmatch(err.Error()); status != nil {
		var code int
		fmt.Sscan(status[1], &code)
		return h.statusError(code)
	}
	return withoutAddress(err)
}

// permanent is an error that another attempt would not mend.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// statusError says what an answer other than success means and what to do.
func (h *hubModel) statusError(code int) error {
	answer := fmt.Sprintf("the hub answers %d %s", code, http.StatusText(code))
	switch {
	case (code == http.StatusUnauthorized || code == http.StatusForbidden) && h.token == "":
		return permanent{fmt.Errorf("%s: there is no such model, or it is private or gated; "+
			"set HF_TOKEN to a token that may read it", answer)}
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return permanent{fmt.Errorf("%s: the token of HF_TOKEN may not read it, or there is no such model", answer)}
	case code == http.StatusNotFound:
		return permanent{fmt.Errorf("%s: there is no such model or file at revision %s",
			answer, h.revision)}
	case code == http.StatusTooManyRequests || code >= 500:
		return errors.New(answer)
	}
	return permanent{errors.New(answer)}
}

// persist repeats attempt until it succeeds, fails for good, or has failed hubAttempts times in a row without progress.
func (h *hubModel) persist(ctx context.Context, attempt func() (progress bool, err error)) error {
	for failures := 1; ; failures++ {
		progress, err := attempt()
		if err == nil {
			return nil
		}
		if final, ok := errors.AsType[permanent](err); ok {
			return final.error
		}
		if progress {
			failures = 1
		}
		if failures >= hubAttempts {
			return fmt.Errorf("%w, %d times", err, failures)
		}
		select {
		case <-time.After(time.Duration(failures) * hubPause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// file makes one file of the listing appear at path, a link to a blob that has its checksum.
func (h *hubModel) file(ctx context.Context, l hubListing, name, path string) error {
	if exists(path) {
		return nil
	}
	var etag string
	var size int64
	err := h.persist(ctx, func() (_ bool, err error) {
		etag, size, err = h.head(ctx, l.base+name)
		return false, err
	})
	if err != nil {
		return err
	}
	sum, err := checksumOf(etag, size)
	if err != nil {
		return err
	}
	blob := filepath.Join(h.folder, "blobs", etag)
	for _, dir := range []string{filepath.Dir(blob), filepath.Dir(path), h.locks} {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return err
		}
	}
	lock := flock.New(filepath.Join(h.locks, etag+".lock"))
	if _, err := lock.TryLockContext(ctx, 100*time.Millisecond); err != nil {
		return err
	}
	defer lock.Unlock()
	if !exists(blob) {
		if err := h.fetch(ctx, l.base+name, name, blob, size, sum); err != nil {
			return err
		}
	}
	target, err := filepath.Rel(filepath.Dir(path), blob)
	if err != nil {
		return err
	}
	os.Remove(path) // a link to a blob that is gone
	return os.Symlink(target, path)
}

// request asks the hub for an address.
func (h *hubModel) request(ctx context.Context, method, address string) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return nil, permanent{err}
	}
	r.Header.Set("Accept-Encoding", "identity")
	r.Header.Set("User-Agent", hub.DefaultHttpUserAgent())
	if h.token != "" {
		r.Header.Set("Authorization", "Bearer "+h.token) // net/http leaves it out where another host is next
	}
	return r, nil
}

// head returns the checksum that the hub gives for a file, and its size. Large files lie elsewhere: the redirection to
// there has both, and what lies there may have another etag. Where a model has been renamed the redirection stays on the hub
// and is followed.
func (h *hubModel) head(ctx context.Context, address string) (etag string, size int64, err error) {
	ctx, stop := context.WithTimeout(ctx, hubIdle)
	defer stop()
	client := &http.Client{CheckRedirect: func(next *http.Request, via []*http.Request) error {
		before := via[len(via)-1]
		if next.URL.Host != before.URL.Host || next.Response.Header.Get(hub.HeaderXLinkedETag) != "" || len(via) > 5 {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	r, err := h.request(ctx, http.MethodHead, address)
	if err != nil {
		return "", 0, err
	}
	response, err := client.Do(r)
	if err != nil {
		return "", 0, withoutAddress(err)
	}
	response.Body.Close()
	if response.StatusCode >= 400 {
		return "", 0, h.statusError(response.StatusCode)
	}
	etag = response.Header.Get(hub.HeaderXLinkedETag)
	size = response.ContentLength
	if etag == "" {
		etag = response.Header.Get("ETag")
	}
	if text := response.Header.Get(hub.HeaderXLinkedSize); text != "" {
		if _, err := fmt.Sscan(text, &size); err != nil {
			return "", 0, permanent{fmt.Errorf("the hub says that its size is %q, want a number", text)}
		}
	}
	if size < 0 {
		return "", 0, permanent{errors.New("the hub does not say its size")}
	}
	return strings.Trim(strings.TrimPrefix(etag, "W/"), `"`), size, nil
}

// checksum is what the bytes of a file must hash to.
type checksum struct {
	name   string
	want   string
	hash   func() hash.Hash
	prefix string // of the bytes
}

// checksumOf returns what an etag of the hub is: the SHA-256 of a large file, or Git's name of a small one, the SHA-1 of a
// header and the file.
func checksumOf(etag string, size int64) (checksum, error) {
	if _, err := hex.DecodeString(etag); err == nil {
		switch len(etag) {
		case 2 * sha256.Size:
			return checksum{"SHA-256", etag, sha256.New, ""}, nil
		case 2 * sha1.Size:
			return checksum{"Git's SHA-1", etag, sha1.New, fmt.Sprintf("blob %d\x00", size)}, nil
		}
	}
	return checksum{}, fmt.Errorf("its etag is %q, neither a SHA-256 nor a SHA-1 of Git, so that it cannot be checked; "+
		"use another HF_ENDPOINT", etag)
}

// check compares the file at path with the checksum.
func (s checksum) check(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := s.hash()
	io.WriteString(h, s.prefix)
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != s.want {
		return fmt.Errorf("%s of what came is %s, want %s; it is removed: give the command again", s.name, got, s.want)
	}
	return nil
}

// fetch makes blob appear whole and checked, or not at all. What came of it stays beside it for the next attempt, also of
// another process.
func (h *hubModel) fetch(ctx context.Context, address, name, blob string, size int64, sum checksum) error {
	partial := blob + ".incomplete"
	f, err := os.OpenFile(partial, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	there, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if err := h.persist(ctx, func() (bool, error) {
		before := there
		there, err = h.extend(ctx, address, name, f, there, size)
		return there > before, err
	}); err != nil {
		return fmt.Errorf("%w; what came is kept: give the command again to go on", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := sum.check(partial); err != nil {
		os.Remove(partial)
		return err
	}
	return os.Rename(partial, blob)
}

// extend asks for what f lacks of its size, given what is there, and returns what is there then.
func (h *hubModel) extend(ctx context.Context, address, name string, f *os.File, there, size int64) (int64, error) {
	if there > size {
		there = 0
	}
	if err := rewind(f, there); err != nil {
		return there, err
	}
	if there == size {
		return there, nil
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	idle := time.AfterFunc(hubIdle, func() { stop(errIdle) })
	defer idle.Stop()
	r, err := h.request(ctx, http.MethodGet, address)
	if err != nil {
		return there, err
	}
	if there > 0 {
		r.Header.Set("Range", fmt.Sprintf("bytes=%d-", there))
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return there, withoutAddress(err)
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK: // all of it, whatever was asked for
		there = 0
	case http.StatusPartialContent:
		if got := response.Header.Get("Content-Range"); !strings.HasPrefix(got, fmt.Sprintf("bytes %d-", there)) {
			return 0, fmt.Errorf("the hub sends the range %q, want from byte %d", got, there)
		}
	default:
		return there, h.statusError(response.StatusCode)
	}
	if err := rewind(f, there); err != nil {
		return there, err
	}
	h.progress(name, there, size)
	buffer := make([]byte, 1<<18)
	for {
		n, err := response.Body.Read(buffer)
		idle.Reset(hubIdle)
		if there+int64(n) > size {
			return 0, permanent{fmt.Errorf("more than its %d bytes came", size)}
		}
		if _, err := f.Write(buffer[:n]); err != nil {
			return there, permanent{err}
		}
		if there += int64(n); n > 0 {
			h.progress(name, there, size)
		}
		switch {
		case there == size:
			return there, nil
		case err == io.EOF:
			return there, fmt.Errorf("the connection ended after %d of %d bytes", there, size)
		case err != nil:
			return there, fmt.Errorf("the connection was cut after %d of %d bytes: %w", there, size, err)
		}
	}
}

// errIdle is the cause with which net/http gives up a connection where nothing comes.
var errIdle = errors.New("the hub does not answer")

// rewind leaves the first bytes of f alone and the next writing after them.
func rewind(f *os.File, bytes int64) error {
	_, err := f.Seek(bytes, io.SeekStart)
	if err := errors.Join(f.Truncate(bytes), err); err != nil {
		return permanent{err}
	}
	return nil
}

// withoutAddress leaves out what an error of net/http repeats: a redirected address is long and holds a signature.
func withoutAddress(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("the hub cannot be reached: %w; HF_ENDPOINT can name another address", u.Err)
	}
	return err
}
