package models

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	hubID     = "someone/albert-tiny"
	hubCommit = "0123456789abcdef0123456789abcdef01234567"
)

// hubServer plays the hub: the description of one model, its files by resolve/COMMIT/FILE, and a store on another host to
// which the addresses of .safetensors redirect, as those of large files do.
type hubServer struct {
	t     *testing.T
	files map[string][]byte
	token string // that is asked for; empty is none

	mu     sync.Mutex
	asked  []string                                          // method, file and range of each request for a file
	answer func(w http.ResponseWriter, r *http.Request) bool // answers a request of the store instead, if it likes
	etag   func(file, etag string) string
	store  *httptest.Server
}

// startHub serves the files of a checkpoint directory as hubID, with an empty cache and without a pause between attempts.
func startHub(t *testing.T, dir string) *hubServer {
	t.Helper()
	s := &hubServer{t: t, files: map[string][]byte{"README.md": []byte("not wanted")}}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if s.files[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	api := httptest.NewServer(http.HandlerFunc(s.serve))
	s.store = httptest.NewServer(http.HandlerFunc(s.serveStore))
	t.Cleanup(api.Close)
	t.Cleanup(s.store.Close)
	t.Setenv("HF_ENDPOINT", api.URL)
	t.Setenv("HF_HOME", t.TempDir())
	for _, name := range []string{"HF_HUB_CACHE", "HF_HUB_OFFLINE", "HF_TOKEN"} {
		t.Setenv(name, "")
	}
	pause := hubPause
	hubPause = time.Millisecond
	t.Cleanup(func() { hubPause = pause })
	return s
}

func (s *hubServer) serve(w http.ResponseWriter, r *http.Request) {
	if s.token != "" && r.Header.Get("Authorization") != "Bearer "+s.token {
		http.Error(w, "Invalid username or password.", http.StatusUnauthorized)
		return
	}
	revision, ok := strings.CutPrefix(r.URL.EscapedPath(), "/api/models/"+hubID+"/revision/")
	if ok && (revision == "main" || revision == "refs%2Fpr%2F1" || revision == hubCommit) { // the hub wants its slashes escaped
		siblings := []map[string]string{}
		for name := range s.files {
			siblings = append(siblings, map[string]string{"rfilename": name})
		}
		json.NewEncoder(w).Encode(map[string]any{"id": hubID, "sha": hubCommit, "siblings": siblings})
		return
	}
	file, ok := strings.CutPrefix(r.URL.Path, "/"+hubID+"/resolve/"+hubCommit+"/")
	content, there := s.files[file]
	if !ok || !there {
		http.Error(w, "Repository not found", http.StatusNotFound)
		return
	}
	s.note(r, file)
	w.Header().Set("X-Repo-Commit", hubCommit)
	if filepath.Ext(file) == ".safetensors" {
		w.Header().Set("X-Linked-Etag", fmt.Sprintf("%q", s.etagOf(file, sha256Of(content))))
		w.Header().Set("X-Linked-Size", fmt.Sprint(len(content)))
		// "localhost" is another host than the address of the hub, as the real store is
		http.Redirect(w, r, strings.Replace(s.store.URL, "127.0.0.1", "localhost", 1)+"/"+file, http.StatusFound)
		return
	}
	w.Header().Set("ETag", fmt.Sprintf("%q", s.etagOf(file, gitName(content))))
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(content)))
}

func (s *hubServer) serveStore(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "" {
		s.t.Error("the token was sent to another host")
	}
	file := strings.TrimPrefix(r.URL.Path, "/")
	s.note(r, "store/"+file)
	if s.answer != nil && s.answer(w, r) {
		return
	}
	w.Header().Set("ETag", `"the store's own"`)
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(s.files[file])))
}

func (s *hubServer) note(r *http.Request, file string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, strings.TrimSpace(r.Method+" "+file+" "+r.Header.Get("Range")))
}

func (s *hubServer) etagOf(file, etag string) string {
	if s.etag != nil {
		return s.etag(file, etag)
	}
	return etag
}

func sha256Of(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// gitName is what git hash-object prints.
func gitName(b []byte) string {
	sum := sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(b)), b...))
	return hex.EncodeToString(sum[:])
}

func TestGitName(t *testing.T) {
	if got, want := gitName([]byte("hello\n")), "ce013625030ba8dba906f756967f9e9ca394464a"; got != want {
		t.Errorf("got %s, want %s, which git hash-object prints", got, want)
	}
}

func find(name string) (string, error) { return Find(context.Background(), name, nil) }

// expectTiny fails if dir is not the checkpoint of tinyWeights.
func expectTiny(t *testing.T, dir string) {
	t.Helper()
	w, err := ReadCheckpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(w.Data, tinyWeights().Data) {
		t.Error("the weights are not those of the hub")
	}
}

func TestFindOnHub(t *testing.T) {
	s := startHub(t, writeTiny(t))
	s.files["spiece.model"] = []byte("a vocabulary")
	s.token = "hf_secret"
	t.Setenv("HF_TOKEN", s.token)
	seen := map[string][2]int64{}
	dir, err := Find(context.Background(), hubID, func(file string, done, total int64) { seen[file] = [2]int64{done, total} })
	if err != nil {
		t.Fatal(err)
	}
	expectTiny(t, dir)
	for _, file := range []string{ConfigFile, WeightsFile, "spiece.model"} {
		size := int64(len(s.files[file]))
		if got := seen[file]; got != [2]int64{size, size} {
			t.Errorf("%s: the last progress is %v, want all of %d bytes", file, got, size)
		}
	}
	// As huggingface_hub lays it out, so that both read what the other has fetched.
	folder := filepath.Join(os.Getenv("HF_HOME"), "hub", "models--someone--albert-tiny")
	if want := filepath.Join(folder, "snapshots", hubCommit); dir != want {
		t.Errorf("the directory is %s, want %s", dir, want)
	}
	if ref, err := os.ReadFile(filepath.Join(folder, "refs", "main")); string(ref) != hubCommit {
		t.Errorf("refs/main is %q, error %v", ref, err)
	}
	for file, blob := range map[string]string{
		WeightsFile: sha256Of(s.files[WeightsFile]), ConfigFile: gitName(s.files[ConfigFile]),
	} {
		if target, err := os.Readlink(filepath.Join(dir, file)); target != filepath.Join("..", "..", "blobs", blob) {
			t.Errorf("%s is a link to %q, error %v", file, target, err)
		}
	}
	expectOnly(t, dir, ConfigFile, WeightsFile, "spiece.model")
	if partial, _ := filepath.Glob(filepath.Join(folder, "blobs", "*.incomplete")); len(partial) > 0 {
		t.Errorf("%v is left", partial)
	}

	// What is there is asked for no more, not even with the hub gone.
	t.Setenv("HF_HUB_OFFLINE", "1")
	t.Setenv("HF_ENDPOINT", "http://127.0.0.1:1")
	for _, name := range []string{hubID, hubID + "@main", hubID + "@" + hubCommit} {
		if again, err := find(name); err != nil || again != dir {
			t.Errorf("%s: got %s, error %v; want the snapshot", name, again, err)
		}
	}
	t.Setenv("HF_HUB_CACHE", t.TempDir())
	if _, err := find(hubID); err == nil || !strings.Contains(err.Error(), "HF_HUB_OFFLINE forbids") ||
		!strings.Contains(err.Error(), os.Getenv("HF_HUB_CACHE")) {
		t.Errorf("offline: got error %v, want one that says where it looked", err)
	}
}

// What other programs fetched without its vocabulary gets one; without the hub it is taken as it is.
func TestFindOnHubFetchesTheVocabulary(t *testing.T) {
	s := startHub(t, writeTiny(t))
	dir, err := find(hubID)
	if err != nil {
		t.Fatal(err)
	}
	s.files["vocab.txt"], s.asked = []byte("[PAD]"), nil
	t.Setenv("HF_HUB_OFFLINE", "yes")
	if again, err := find(hubID); err != nil || again != dir || len(s.asked) > 0 {
		t.Errorf("offline: got %s, error %v, and the hub was asked for %v", again, err, s.asked)
	}
	t.Setenv("HF_HUB_OFFLINE", "")
	if _, err := find(hubID); err != nil {
		t.Fatal(err)
	}
	if want := []string{"HEAD vocab.txt", "GET vocab.txt"}; !slices.Equal(s.asked, want) {
		t.Errorf("the hub was asked for %v, want %v", s.asked, want)
	}
	expectOnly(t, dir, ConfigFile, WeightsFile, "vocab.txt")
}

// A pull request's revision, where a model's conversion to safetensors often waits, has slashes.
func TestFindRevisionOfPullRequest(t *testing.T) {
	s := startHub(t, writeTiny(t))
	s.files["spiece.model"] = []byte("a vocabulary")
	dir, err := find(hubID + "@refs/pr/1")
	if err != nil {
		t.Fatal(err)
	}
	expectTiny(t, dir)
	t.Setenv("HF_HUB_OFFLINE", "1")
	if again, err := find(hubID + "@refs/pr/1"); err != nil || again != dir {
		t.Errorf("a second time: got %s, error %v; want the snapshot", again, err)
	}
	if got, want := Pin(hubID+"@refs/pr/1", dir), hubID+"@"+hubCommit; got != want {
		t.Errorf("a model of the hub is pinned as %s, want %s", got, want)
	}
	if got, want := Pin("run", "run/model"), "run/model"; got != want {
		t.Errorf("a run is pinned as %s, want %s", got, want)
	}
	if _, err := find(hubID + "@refs/../main"); err == nil {
		t.Error("a revision that leaves its directory is taken")
	}
}

func TestFindOnHubInShards(t *testing.T) {
	s := startHub(t, writeTinyShards(t))
	dir, err := find(hubID + "@" + hubCommit)
	if err != nil {
		t.Fatal(err)
	}
	expectTiny(t, dir)
	shards, _ := filepath.Glob(filepath.Join(dir, "model-00002-of-*.safetensors"))
	if len(shards) != 1 || os.Remove(shards[0]) != nil {
		t.Fatalf("there is no second shard to remove: %v", shards)
	}
	s.asked = nil
	again, err := find(hubID + "@" + hubCommit)
	if err != nil {
		t.Fatal(err)
	}
	expectTiny(t, again)
	if want := []string{"HEAD " + filepath.Base(shards[0])}; !slices.Equal(s.asked, want) {
		t.Errorf("with one link gone the hub was asked for %v, want %v", s.asked, want)
	}
}

// cutAfter answers with the first bytes of what was asked for, and ends the connection.
func (s *hubServer) cutAfter(bytes int) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		content := s.files[strings.TrimPrefix(r.URL.Path, "/")]
		from := 0
		if text := r.Header.Get("Range"); text != "" {
			fmt.Sscanf(text, "bytes=%d-", &from)
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(content)-1, len(content)))
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(content)-from))
		if from > 0 {
			w.WriteHeader(http.StatusPartialContent)
		}
		w.Write(content[from:min(from+bytes, len(content))])
		return true
	}
}

// A connection that is cut again and again is taken up where it was, as long as something comes.
func TestHubResumesACutConnection(t *testing.T) {
	s := startHub(t, writeTiny(t))
	part := len(s.files[WeightsFile])/8 + 1
	s.answer = s.cutAfter(part)
	dir, err := find(hubID)
	if err != nil {
		t.Fatal(err)
	}
	expectTiny(t, dir)
	for i := 1; i < 8; i++ {
		if want := fmt.Sprintf("GET store/model.safetensors bytes=%d-", i*part); !slices.Contains(s.asked, want) {
			t.Errorf("the store was not asked %q, but %v", want, s.asked)
		}
	}
}

// An answer whose length is not told, and that ends too early, is no file.
func TestHubEndsTooEarly(t *testing.T) {
	s := startHub(t, writeTiny(t))
	s.answer = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Range") != "" {
			return false
		}
		w.Write(s.files[WeightsFile][:1000])
		w.(http.Flusher).Flush()
		return true
	}
	dir, err := find(hubID)
	if err != nil {
		t.Fatal(err)
	}
	expectTiny(t, dir)
}

// Another process goes on where one had to give up; nothing that is not whole is taken for a model.
func TestHubResumesInAnotherProcess(t *testing.T) {
	s := startHub(t, writeTiny(t))
	once := s.cutAfter(1000)
	s.answer = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Range") == "" {
			return once(w, r)
		}
		http.Error(w, "down", http.StatusServiceUnavailable)
		return true
	}
	_, err := find(hubID)
	if err == nil || !strings.Contains(err.Error(), "model.safetensors: the hub answers 503 Service Unavailable, 4 times; what came is kept") {
		t.Fatalf("got error %v, want that the hub is down", err)
	}
	t.Setenv("HF_HUB_OFFLINE", "1")
	if dir, err := find(hubID); err == nil {
		t.Fatalf("half a model in %s was taken for a whole one", dir)
	}
	t.Setenv("HF_HUB_OFFLINE", "")
	s.answer, s.asked = nil, nil
	dir, err := find(hubID)
	if err != nil {
		t.Fatal(err)
	}
	expectTiny(t, dir)
	if !slices.Contains(s.asked, "GET store/model.safetensors bytes=1000-") {
		t.Errorf("the store was asked %v, want the rest from byte 1000", s.asked)
	}
}

// A store that knows no ranges sends all of it again.
func TestHubWithoutRanges(t *testing.T) {
	s := startHub(t, writeTiny(t))
	s.answer = func(w http.ResponseWriter, r *http.Request) bool {
		asked := r.Header.Get("Range")
		r.Header.Del("Range")
		if asked == "" {
			return s.cutAfter(1000)(w, r)
		}
		return false
	}
	dir, err := find(hubID)
	if err != nil {
		t.Fatal(err)
	}
	expectTiny(t, dir)
}

func TestHubRefuses(t *testing.T) {
	answer := func(code int) func(*testing.T, *hubServer) {
		return func(t *testing.T, s *hubServer) {
			s.answer = func(w http.ResponseWriter, r *http.Request) bool {
				http.Error(w, "no", code)
				return true
			}
		}
	}
	for _, test := range []struct {
		name, want string
		prepare    func(*testing.T, *hubServer)
		id         string
	}{
		{"no such model", "find someone/else: no such directory; as a model of the hub: the hub answers 404 Not Found: there is no such model", nil, "someone/else"},
		{"no such revision", "or file at revision v9", nil, hubID + "@v9"},
		{"no token", "401 Unauthorized: there is no such model, or it is private or gated; set HF_TOKEN",
			func(t *testing.T, s *hubServer) { s.token = "hf_secret" }, hubID},
		{"a wrong token", "the token of HF_TOKEN may not read it", func(t *testing.T, s *hubServer) {
			s.token = "hf_secret"
			t.Setenv("HF_TOKEN", "hf_other")
		}, hubID},
		{"a gated file", "model.safetensors: the hub answers 403 Forbidden", answer(http.StatusForbidden), hubID},
		{"a file that is gone", "model.safetensors: the hub answers 404 Not Found", answer(http.StatusNotFound), hubID},
		{"no hub", "the hub cannot be reached", func(t *testing.T, s *hubServer) { t.Setenv("HF_ENDPOINT", "http://127.0.0.1:1") }, hubID},
		{"a damaged file", "model.safetensors: SHA-256 of what came is", func(t *testing.T, s *hubServer) {
			s.answer = func(w http.ResponseWriter, r *http.Request) bool {
				content := slices.Clone(s.files[WeightsFile])
				content[len(content)/2] ^= 1
				w.Write(content)
				return true
			}
		}, hubID},
		{"a damaged small file", "config.json: Git's SHA-1 of what came is", func(t *testing.T, s *hubServer) {
			s.etag = func(file, etag string) string { return strings.Repeat("0", len(etag)) }
		}, hubID},
		{"too long a file", "more than its", func(t *testing.T, s *hubServer) {
			s.answer = func(w http.ResponseWriter, r *http.Request) bool {
				w.Write(append(slices.Clone(s.files[WeightsFile]), "and more"...))
				return true
			}
		}, hubID},
		{"no checksum", `its etag is "v1", neither a SHA-256 nor`, func(t *testing.T, s *hubServer) {
			s.etag = func(file, etag string) string { return "v1" }
		}, hubID},
		{"a path for a checksum", "neither a SHA-256 nor", func(t *testing.T, s *hubServer) {
			s.etag = func(file, etag string) string { return "../../../../../../../../../../../../../" }
		}, hubID},
		{"no ALBERT", `model_type is "bert"`, func(t *testing.T, s *hubServer) {
			s.files[ConfigFile] = []byte(`{"model_type": "bert"}`)
		}, hubID},
		{"no model", "it has no config.json", func(t *testing.T, s *hubServer) { delete(s.files, ConfigFile) }, hubID},
		{"a pickle", "its weights are pickles (pytorch_model.bin)", func(t *testing.T, s *hubServer) {
			delete(s.files, WeightsFile)
			s.files["pytorch_model.bin"] = []byte("x")
		}, hubID},
		{"no weights", "it has neither model.safetensors nor", func(t *testing.T, s *hubServer) { delete(s.files, WeightsFile) }, hubID},
		{"a shard elsewhere", "names weights.safetensors, which the model has not", func(t *testing.T, s *hubServer) {
			delete(s.files, WeightsFile)
			s.files[IndexFile] = []byte(`{"weight_map": {"a": "weights.safetensors"}}`)
		}, hubID},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := startHub(t, writeTiny(t))
			if test.prepare != nil {
				test.prepare(t, s)
			}
			_, err := find(test.id)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "no such directory") {
				t.Errorf("got error %v, want one that says %q, and that there is no such directory", err, test.want)
			}
			if err != nil && strings.Contains(err.Error(), "hf_") {
				t.Errorf("error %v tells the token", err)
			}
			t.Setenv("HF_HUB_OFFLINE", "1")
			if dir, err := find(test.id); err == nil {
				t.Errorf("%s was taken for a model afterwards", dir)
			}
		})
	}
}

// A hub that is silent is given up, and that is no interruption by the user; an interruption is one.
func TestHubIsSilent(t *testing.T) {
	s := startHub(t, writeTiny(t))
	release := make(chan struct{})
	defer close(release)
	s.answer = func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("Content-Length", fmt.Sprint(len(s.files[WeightsFile])))
		w.Write(s.files[WeightsFile][:10])
		w.(http.Flusher).Flush()
		<-release
		return true
	}
	idle := hubIdle
	hubIdle = 200 * time.Millisecond
	defer func() { hubIdle = idle }()
	_, err := find(hubID)
	if !errors.Is(err, errIdle) || errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want that the hub does not answer", err)
	}
	hubIdle = idle
	ctx, interrupt := context.WithCancel(context.Background())
	if _, err := Find(ctx, hubID, func(string, int64, int64) { interrupt() }); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want the interruption", err)
	}
}

func TestHubCacheIsWhereOthersLook(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	for _, name := range []string{"HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"} {
		t.Setenv(name, "")
	}
	for _, step := range []struct{ variable, value, want string }{
		{"HOME", home, filepath.Join(home, ".cache", "huggingface", "hub")},
		{"XDG_CACHE_HOME", "/a", "/a/huggingface/hub"},
		{"HF_HOME", "/b", "/b/hub"},
		{"HF_HUB_CACHE", "/c", "/c"},
	} {
		t.Setenv(step.variable, step.value)
		if got, err := hubCache(); err != nil || got != step.want {
			t.Errorf("with %s the cache is %s, error %v; want %s", step.variable, got, err, step.want)
		}
	}
}

// A name that can be a path is one where its first part is here: the hub is not asked, and does not get the token, unless
// a revision is named.
func TestMistypedPathIsNotAskedOfTheHub(t *testing.T) {
	asked := 0
	hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		http.Error(w, "no", http.StatusNotFound)
	}))
	defer hub.Close()
	t.Setenv("HF_ENDPOINT", hub.URL)
	t.Setenv("HF_HOME", t.TempDir())
	t.Setenv("HF_TOKEN", "hf_secret")
	t.Chdir(t.TempDir())
	if err := os.Mkdir("runs", 0o777); err != nil {
		t.Fatal(err)
	}
	writeFile(t, "albert", []byte("a file is no owner"))
	for _, name := range []string{"runs/sst", "runs/sst/model", "./runs"} {
		if _, err := find(name); err == nil || asked > 0 || name == "runs/sst" && !strings.Contains(err.Error(),
			"find runs/sst: no such directory, but there is runs, so it is taken for a path; the model of that name on the hub is runs/sst@main") {
			t.Errorf("%s: got error %v, %d requests; want that there is no such directory, and none", name, err, asked)
		}
	}
	for i, name := range []string{"runs/sst@main", "albert/albert-base-v2"} {
		if _, err := find(name); err == nil || asked != i+1 || !strings.Contains(err.Error(), "no such directory; as a model of the hub") {
			t.Errorf("%s: got error %v, %d requests; want the hub asked, once", name, err, asked)
		}
	}
}

// The directory of a run may have any name. One with runs of several seeds is no model, and they are named.
func TestFindInRuns(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, run := range []string{"run[1]", "run*", `run\?`} {
		want := filepath.Join(run, RunCheckpoints, "step-00000003")
		for _, dir := range []string{filepath.Join(run, RunCheckpoints, "step-00000002"), want} {
			if err := WriteDirectory(dir, tinyWeights().WriteFiles); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := find(run); err != nil || got != want {
			t.Errorf("got %s, error %v; want %s", got, err, want)
		}
	}
	for _, seed := range []string{"seed-1", "seed-2"} {
		if err := WriteDirectory(filepath.Join("seeds[", seed, RunModel), tinyWeights().WriteFiles); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := find("seeds["); err == nil || !strings.Contains(err.Error(), "runs of several seeds; give one of seeds[/seed-1, seeds[/seed-2") {
		t.Errorf("got error %v, want the runs named", err)
	}
}

func TestFindLocally(t *testing.T) {
	t.Setenv("HF_HOME", t.TempDir())
	t.Setenv("HF_ENDPOINT", "http://127.0.0.1:1")
	run := t.TempDir()
	write := func(parts ...string) string {
		dir := filepath.Join(append([]string{run}, parts...)...)
		if err := WriteDirectory(dir, tinyWeights().WriteFiles); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	if _, err := find(run); err == nil || !strings.Contains(err.Error(), "has no config.json, no model and no checkpoints") {
		t.Errorf("an empty directory: got error %v", err)
	}
	for _, next := range [][]string{{"checkpoints", "step-00000100"}, {"checkpoints", "step-00000200"}, {"model"}} {
		want := write(next...)
		if got, err := find(run); err != nil || got != want {
			t.Errorf("got %s, error %v; want %s", got, err, want)
		}
		if got, err := find(want); err != nil || got != want {
			t.Errorf("got %s, error %v; want the directory itself, %s", got, err, want)
		}
	}
	for name, want := range map[string]string{
		filepath.Join(run, "model", ConfigFile): "it is a file",
		"albert-base-v2":                        "a name on the hub is owner/name",
		filepath.Join(run, "nothing"):           "no such directory",
		"a/b/c":                                 "no such directory",
		"../b":                                  "no such directory",
		"a/..b":                                 "no such directory",
	} {
		if _, err := find(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v, want one that says %q", name, err, want)
		}
	}
}
