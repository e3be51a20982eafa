package ort

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"testing"
)

const member = "package/bin/libonnxruntime.so.1"

func sumOf(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:])
}

// fakeNPM puts a program npm in front of PATH: a shell script. In it, $ARCHIVE is a package with content as the member
// of that name.
func fakeNPM(t *testing.T, script, name, content string) {
	t.Helper()
	dir := t.TempDir()
	archive := filepath.Join(dir, "package.tgz")
	f, err := os.Create(archive)
	if err != nil {
		t.Fatal(err)
	}
	compressed := gzip.NewWriter(f)
	members := tar.NewWriter(compressed)
	members.WriteHeader(&tar.Header{Name: "package/package.json", Size: 2, Mode: 0o644})
	members.Write([]byte("{}"))
	members.WriteHeader(&tar.Header{Name: name, Size: int64(len(content)), Mode: 0o644})
	members.Write([]byte(content))
	members.Close()
	compressed.Close()
	f.Close()
	text := "#!/bin/sh\nARCHIVE='" + archive + "'\n" + script + "\n"
	if err := os.WriteFile(filepath.Join(dir, "npm"), []byte(text), 0o777); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH"))
}

func TestInstall(t *testing.T) {
	fakeNPM(t, `cp "$ARCHIVE" .`, member, "the library")
	path := filepath.Join(t.TempDir(), "cache", "libonnxruntime.so.1")
	a := artifact{member: member, sha256: sumOf("the library")}
	fetched, err := a.install(context.Background(), path)
	if content, _ := os.ReadFile(path); err != nil || !fetched || string(content) != "the library" {
		t.Fatalf("got fetched %v, error %v, content %q", fetched, err, content)
	}

	t.Setenv("PATH", t.TempDir()) // no npm: what is whole needs none
	if fetched, err := a.install(context.Background(), path); err != nil || fetched {
		t.Errorf("again: got fetched %v, error %v; want neither", fetched, err)
	}
	if err := os.WriteFile(path, []byte("damaged"), 0o666); err != nil {
		t.Fatal(err)
	}
	_, err = a.install(context.Background(), path)
	if err == nil || !strings.Contains(err.Error(), "npm is not installed") {
		t.Errorf("a damaged library without npm: got error %v", err)
	}
}

// Install itself: the package and the member that it asks for are the pinned ones, and only their own bytes will do.
func TestInstallChecksThePinnedSum(t *testing.T) {
	wanted, ok := artifacts[goruntime.GOOS+"/"+goruntime.GOARCH]
	if !ok {
		t.Skip("no library is pinned for this platform")
	}
	fakeNPM(t, `test "$1 $2" = "pack onnxruntime-node@`+PinnedVersion+`" && cp "$ARCHIVE" .`, wanted.member, "forged")
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	_, _, err := Install(context.Background())
	want := "checksum mismatch: got SHA-256 " + sumOf("forged") + ", want " + wanted.sha256
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got error %v, want one that says %q", err, want)
	}
	filepath.WalkDir(cache, func(path string, entry os.DirEntry, _ error) error {
		if !entry.IsDir() {
			t.Errorf("%s was left behind", path)
		}
		return nil
	})

	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "")
	if _, _, err := Install(context.Background()); err == nil || !strings.Contains(err.Error(), "set HOME") {
		t.Errorf("no home: got error %v", err)
	}
}

// Whatever goes wrong is one sentence, and leaves nothing in the cache.
func TestInstallFails(t *testing.T) {
	for _, test := range []struct{ script, name, want string }{
		{`cp "$ARCHIVE" .`, "package/other", "no " + member + " in the archive"},
		{`cp "$ARCHIVE" .`, member, "checksum mismatch"},
		{`head -c 60 "$ARCHIVE" > package.tgz`, member, "damaged archive"},
		{`true`, member, "got 0 archives"},
		{`echo "npm error code ENOTFOUND" >&2; exit 1`, member, "no network (ENOTFOUND)"},
		{`echo "npm error code ETARGET" >&2; exit 1`, member, "does not have it (ETARGET)"},
		{`echo "npm error code EWHATEVER" >&2; exit 1`, member, "failed with EWHATEVER"},
		{`echo "something else" >&2; exit 3`, member, "something else"},
		{`exit 3`, member, "npm pack " + npmPackage + ": exit status 3"},
	} {
		t.Run(test.want, func(t *testing.T) {
			fakeNPM(t, test.script, test.name, "not what was promised")
			dir := t.TempDir()
			a := artifact{member: member, sha256: sumOf("the library")}
			_, err := a.install(context.Background(), filepath.Join(dir, "libonnxruntime.so.1"))
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got error %v, want one line that says %q", err, test.want)
			}
			if entries, _ := os.ReadDir(dir); len(entries) > 0 {
				t.Errorf("%v was left behind", entries)
			}
		})
	}
}

// A file where the cache's directory should be.
func TestInstallIntoNoDirectory(t *testing.T) {
	fakeNPM(t, `cp "$ARCHIVE" .`, member, "the library")
	a := artifact{member: member, sha256: sumOf("the library")}
	_, err := a.install(context.Background(), filepath.Join(fakeLibrary(t, "file"), "lib"))
	if err == nil || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("got error %v", err)
	}
}

// A download that has begun ends with ctx.
func TestInstallCanBeCancelled(t *testing.T) {
	begun := filepath.Join(t.TempDir(), "begun")
	fakeNPM(t, `mkfifo '`+begun+`'; echo > '`+begun+`'; exec sleep 3600`, member, "")
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		for {
			if _, err := os.ReadFile(begun); err == nil { // waits for the script to write
				break
			}
			goruntime.Gosched()
		}
		cancel()
	}()
	a := artifact{member: member, sha256: sumOf("the library")}
	if _, err := a.install(ctx, filepath.Join(t.TempDir(), "lib")); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want %v", err, context.Canceled)
	}
}
