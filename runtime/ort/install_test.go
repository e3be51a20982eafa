package ort

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
	"testing"
)

const memberPath = "package/bin/libonnxruntime.so.1"

func sumOf(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:])
}

// tgz returns an archive of one file besides another.
func tgz(t *testing.T, name, content string) []byte {
	t.Helper()
	var file bytes.Buffer
	compressed := gzip.NewWriter(&file)
	members := tar.NewWriter(compressed)
	for _, m := range [][2]string{{"package/package.json", "{}"}, {name, content}} {
		if err := members.WriteHeader(&tar.Header{Name: m[0], Size: int64(len(m[1])), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		io.WriteString(members, m[1])
	}
	members.Close()
	compressed.Close()
	return file.Bytes()
}

// whl returns a wheel of files.
func whl(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var file bytes.Buffer
	members := zip.NewWriter(&file)
	for name, content := range files {
		w, err := members.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, content)
	}
	members.Close()
	return file.Bytes()
}

// only makes dir all of PATH that holds the programs in question.
func only(t *testing.T, dir string) {
	t.Helper()
	t.Setenv("PATH", dir+string(filepath.ListSeparator)+"/usr/bin"+string(filepath.ListSeparator)+"/bin")
}

// fake puts a program in front of PATH: a shell script. In it, $ARCHIVE is a file of that content.
func fake(t *testing.T, program, script string, archive []byte) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "archive")
	if err := os.WriteFile(path, archive, 0o666); err != nil {
		t.Fatal(err)
	}
	text := "#!/bin/sh\nARCHIVE='" + path + "'\n" + script + "\n"
	if err := os.WriteFile(filepath.Join(dir, program), []byte(text), 0o777); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
}

// serve answers every request with the status and content, and notes the paths.
func serve(t *testing.T, status int, content []byte) (address string, paths *[]string) {
	t.Helper()
	paths = new([]string)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*paths = append(*paths, r.URL.Path)
		w.WriteHeader(status)
		w.Write(content)
	}))
	t.Cleanup(server.Close)
	return server.URL, paths
}

// theLibrary is an artifact of one file that says "the library".
func theLibrary(s source) artifact {
	return artifact{s, []member{{memberPath, cachedName, sumOf("the library")}}}
}

// newCache returns where a test installs to.
func newCache(t *testing.T) string {
	return filepath.Join(t.TempDir(), "cache", PinnedVersion, cachedName)
}

// checkInstalled looks whether the library, and nothing else, is in its directory.
func checkInstalled(t *testing.T, path string) {
	t.Helper()
	if content, err := os.ReadFile(path); err != nil || string(content) != "the library" {
		t.Errorf("got content %q, error %v", content, err)
	}
	checkNothingElse(t, filepath.Dir(filepath.Dir(path)), path)
}

// checkNothingElse looks for files under dir that are none of paths.
func checkNothingElse(t *testing.T, dir string, paths ...string) {
	t.Helper()
	filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && (!entry.IsDir() && !slices.Contains(paths, path) || strings.HasPrefix(entry.Name(), ".installing")) {
			t.Errorf("%s was left behind", path)
		}
		return nil
	})
}

// The release comes over HTTP; a library that is there and whole needs no network, a damaged one is replaced.
func TestInstallRelease(t *testing.T) {
	address, paths := serve(t, http.StatusOK, tgz(t, memberPath, "the library"))
	path, o := newCache(t), InstallOptions{ReleaseURL: address + "/"}
	sources := []artifact{theLibrary(release("onnxruntime-any"))}
	got, err := install(context.Background(), sources, path, o)
	if want := (Installation{path, true, "official release (onnxruntime-any.tgz)"}); err != nil || got != want {
		t.Fatalf("got %+v, error %v; want %+v", got, err, want)
	}
	checkInstalled(t, path)
	if got, err := install(context.Background(), sources, path, o); err != nil || got.Fetched {
		t.Errorf("again: got %+v, error %v", got, err)
	}
	if want := []string{"/v" + PinnedVersion + "/onnxruntime-any.tgz"}; !slices.Equal(*paths, want) {
		t.Errorf("the server was asked for %v, want %v", *paths, want)
	}
	if err := os.WriteFile(path, []byte("damaged"), 0o666); err != nil {
		t.Fatal(err)
	}
	if got, err := install(context.Background(), sources, path, o); err != nil || !got.Fetched {
		t.Errorf("a damaged one: got %+v, error %v", got, err)
	}
	checkInstalled(t, path)
}

// Each source is tried in its order, and why one was given up is told in a line.
func TestInstallNextSource(t *testing.T) {
	only(t, t.TempDir())
	address, _ := serve(t, http.StatusNotFound, nil)
	fake(t, "npm", `echo "npm error code E404" >&2; exit 1`, nil)
	fake(t, "pip", `while [ "$1" != --dest ]; do shift; done; cp "$ARCHIVE" "$2/a.whl"`,
		whl(t, map[string]string{memberPath: "the library", "other": "x"}))
	var failures []string
	path := newCache(t)
	got, err := install(context.Background(), []artifact{theLibrary(release("a")), theLibrary(npm("b@1")), theLibrary(wheel{"c==1", "any"})},
		path, InstallOptions{ReleaseURL: address, Failed: func(m string) { failures = append(failures, m) }})
	if want := (Installation{path, true, "pip (c==1)"}); err != nil || got != want {
		t.Fatalf("got %+v, error %v; want %+v", got, err, want)
	}
	checkInstalled(t, path)
	want := []string{
		"official release (a.tgz): " + address + "/v" + PinnedVersion + "/a.tgz: the server answers 404 Not Found",
		"npm (b@1): npm pack: the registry that npm uses does not have it (E404)",
	}
	if !slices.Equal(failures, want) {
		t.Errorf("got %q, want %q", failures, want)
	}
}

// Install itself: what it asks for is pinned, and only the pinned bytes will do.
func TestInstallChecksThePinnedSums(t *testing.T) {
	platform := goruntime.GOOS + "/" + goruntime.GOARCH
	if _, ok := artifacts[platform]; !ok {
		t.Skip("no library is pinned for this platform")
	}
	only(t, t.TempDir())
	for _, gpu := range []bool{false, true} {
		table := artifacts[platform]
		if gpu {
			table = gpuArtifacts[platform]
		}
		if len(table) == 0 {
			continue
		}
		cache := t.TempDir()
		t.Setenv("XDG_CACHE_HOME", cache)
		address, _ := serve(t, http.StatusOK, tgz(t, table[0].members[0].path, "forged"))
		fake(t, "npm", `test "$1 $2" = "pack onnxruntime-node@`+PinnedVersion+`" && cp "$ARCHIVE" a.tgz`,
			tgz(t, artifacts[platform][1].members[0].path, "forged"))
		forged := map[string]string{}
		for _, m := range table[len(table)-1].members {
			forged[m.path] = "forged"
		}
		fake(t, "pip", `cp "$ARCHIVE" "$4/a.whl"`, whl(t, forged))
		_, err := Install(context.Background(), InstallOptions{GPU: gpu, ReleaseURL: address})
		for _, a := range table {
			want := a.source.String() + ": "
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got error %v, want one that says %q", err, want)
			}
		}
		if n := strings.Count(err.Error(), "checksum mismatch: got SHA-256 "+sumOf("forged")+", want "); n != len(table) {
			t.Errorf("got error %v, want a mismatch for each of %d sources", err, len(table))
		}
		checkNothingElse(t, cache)
	}
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "")
	if _, err := Install(context.Background(), InstallOptions{}); err == nil || !strings.Contains(err.Error(), "set HOME") {
		t.Errorf("no home: got error %v", err)
	}
}

// Whatever goes wrong is one sentence, and leaves nothing in the cache, or what was there.
func TestInstallFails(t *testing.T) {
	good, other := tgz(t, memberPath, "the library"), tgz(t, memberPath, "not what was promised")
	for _, test := range []struct {
		script  string
		archive []byte
		want    string
	}{
		{`cp "$ARCHIVE" a.tgz`, tgz(t, "package/other", "x"), "no " + memberPath + " in the archive"},
		{`cp "$ARCHIVE" a.tgz`, other, "checksum mismatch"},
		{`head -c 60 "$ARCHIVE" > package.tgz`, good, "damaged archive"},
		{`true`, good, "got 0 archives"},
		{`echo "npm error code ENOTFOUND" >&2; exit 1`, good, "no network (ENOTFOUND)"},
		{`echo "npm error code ETARGET" >&2; exit 1`, good, "does not have it (ETARGET)"},
		{`echo "npm error code EWHATEVER" >&2; exit 1`, good, "failed with EWHATEVER"},
		{`echo "something else" >&2; exit 3`, good, "something else"},
		{`exit 3`, good, "npm pack: exit status 3"},
	} {
		t.Run(test.want, func(t *testing.T) {
			fake(t, "npm", test.script, test.archive)
			checkFails(t, theLibrary(npm("b@1")), InstallOptions{}, test.want)
		})
	}
	for _, test := range []struct {
		script  string
		archive []byte
		want    string
	}{
		{`cp "$ARCHIVE" "$4/a.whl"`, whl(t, map[string]string{"other": "x"}), "no " + memberPath + " in the archive"},
		{`cp "$ARCHIVE" "$4/a.whl"`, whl(t, map[string]string{memberPath: "x"}), "checksum mismatch"},
		{`cp "$ARCHIVE" "$4/a.whl"`, []byte("PK"), "damaged archive"},
		{`echo "ERROR: No matching distribution found for c==1" >&2; exit 1`, nil, "pip download: No matching distribution"},
		{`echo "WARNING: NewConnectionError" >&2; exit 1`, nil, "pip download: no network"},
		{`exit 3`, nil, "pip download: exit status 3"},
	} {
		t.Run("pip: "+test.want, func(t *testing.T) {
			fake(t, "pip", test.script, test.archive)
			checkFails(t, theLibrary(wheel{"c==1", "any"}), InstallOptions{}, test.want)
		})
	}
	for want, content := range map[string]func(w http.ResponseWriter){
		"the server answers 500": func(w http.ResponseWriter) { w.WriteHeader(http.StatusInternalServerError) },
		"download broke off": func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "9999999")
			w.Write(good)
		},
		"damaged archive":   func(w http.ResponseWriter) { w.Write([]byte("<html>please log in</html>")) },
		"checksum mismatch": func(w http.ResponseWriter) { w.Write(other) },
	} {
		t.Run("release: "+want, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { content(w) }))
			defer server.Close()
			checkFails(t, theLibrary(release("a")), InstallOptions{ReleaseURL: server.URL}, want)
		})
	}
	t.Run("release: no server", func(t *testing.T) {
		server := httptest.NewServer(http.NotFoundHandler())
		server.Close()
		checkFails(t, theLibrary(release("a")), InstallOptions{ReleaseURL: server.URL}, "connection refused")
	})
}

// checkFails sees an installation fail, once into nothing and once over a library that then stays.
func checkFails(t *testing.T, a artifact, o InstallOptions, want string) {
	t.Helper()
	for _, there := range []bool{false, true} {
		path := newCache(t)
		var kept []string
		if there {
			if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte("older"), 0o666); err != nil {
				t.Fatal(err)
			}
			kept = append(kept, path)
		}
		_, err := install(context.Background(), []artifact{a}, path, o)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got error %v, want one line that says %q", err, want)
		}
		if content, err := os.ReadFile(path); there && (err != nil || string(content) != "older") {
			t.Errorf("what was there is now %q, error %v", content, err)
		}
		checkNothingElse(t, filepath.Dir(filepath.Dir(path)), kept...)
	}
}

// A file where the cache's directory should be.
func TestInstallIntoNoDirectory(t *testing.T) {
	fake(t, "npm", `cp "$ARCHIVE" a.tgz`, tgz(t, memberPath, "the library"))
	_, err := install(context.Background(), []artifact{theLibrary(npm("b@1"))},
		filepath.Join(fakeLibrary(t, "file"), PinnedVersion, cachedName), InstallOptions{})
	if err == nil || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("got error %v", err)
	}
}

// A download that has begun ends with ctx, and no other source is tried.
func TestInstallCanBeCancelled(t *testing.T) {
	for _, s := range []source{npm("b@1"), release("a")} {
		ctx, cancel := context.WithCancel(context.Background())
		begun := filepath.Join(t.TempDir(), "begun")
		fake(t, "npm", `mkfifo '`+begun+`'; echo > '`+begun+`'; exec sleep 3600`, nil)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Write([]byte("a"))
			w.(http.Flusher).Flush()
			cancel()
			<-r.Context().Done()
		}))
		go func() {
			for ctx.Err() == nil {
				if _, err := os.ReadFile(begun); err == nil { // waits for the script to write
					cancel()
				}
				goruntime.Gosched()
			}
		}()
		_, err := install(ctx, []artifact{theLibrary(s), theLibrary(npm("none@1"))}, newCache(t), InstallOptions{ReleaseURL: server.URL})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got error %v, want %v", s, err, context.Canceled)
		}
		server.Close()
	}
}

// All that is pinned for a platform is one library for each source, with the main library last.
func TestArtifacts(t *testing.T) {
	for _, table := range []map[string][]artifact{artifacts, gpuArtifacts} {
		for platform, sources := range table {
			sums := map[string]bool{}
			for _, a := range sources {
				last := a.members[len(a.members)-1]
				if last.name != cachedName || len(last.sha256) != sha256.Size*2 || sums[last.sha256] {
					t.Errorf("%s, %s: got %+v", platform, a.source, last)
				}
				sums[last.sha256] = true
			}
		}
	}
}
