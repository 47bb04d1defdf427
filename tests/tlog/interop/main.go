// Checks our logs with code that others wrote: golang.org/x/mod/sumdb (notes, trees, proofs) and transparency-dev/formats
// (cosignatures, tlog-proof files). Run by hand where there is Go; nothing else depends on it. From the project root:
//
//	.venv/bin/python -m tests.tlog.interop.make_samples "$FOLDER"
//	(cd tests/tlog/interop && go run . "$FOLDER"/*)
//
// The tiles themselves are for the fsck of github.com/transparency-dev/tessera. In v1.0.4 it can hang on a bad log unless it has
// many workers, and it exits with 0 even then: only its line "Successfully fsck'd log" with size and root is a success.
//
//	go install github.com/transparency-dev/tessera/cmd/fsck@v1.0.4
//	timeout 120 fsck --ui=false --N=64 --storage_url="file://$FOLDER/300/" --public_key="$FOLDER/300/log.vkey"
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	checkpoints "github.com/transparency-dev/formats/log"
	cosignatures "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/formats/proof"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type tree []tlog.Hash

func (t tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		out[i] = t[index]
	}
	return out, nil
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func expect(good bool, what string, values ...any) {
	if !good {
		log.Fatalf(what, values...)
	}
}

func read(parts ...string) []byte {
	return must(os.ReadFile(filepath.Join(parts...)))
}

// entries splits the bundles of a log, asking for file names as x/mod spells the tiles of 256.
func entries(folder string, size int64) [][]byte {
	var out [][]byte
	for start := int64(0); start < size; start += 256 {
		tile := tlog.Tile{H: 8, L: -1, N: start / 256, W: int(min(256, size-start))}
		name := strings.Replace(tile.Path(), "tile/8/data/", "tile/entries/", 1)
		for bundle := read(folder, name); len(bundle) > 0; {
			end := 2 + int(binary.BigEndian.Uint16(bundle))
			out = append(out, bundle[2:end])
			bundle = bundle[end:]
		}
	}
	expect(int64(len(out)) == size, "%s has %d entries", folder, len(out))
	return out
}

func verify(folder string) {
	logKey := must(note.NewVerifier(string(read(folder, "log.vkey"))))
	witnessKey := must(cosignatures.NewVerifierForCosignatureV1(string(read(folder, "witness.vkey"))))
	open := func(raw []byte) *checkpoints.Checkpoint {
		state, rest, opened, err := checkpoints.ParseCheckpoint(raw, logKey.Name(), logKey, witnessKey)
		check(err)
		expect(len(rest) == 0, "%s: checkpoint has more lines", folder)
		for _, line := range opened.Sigs[1:] {
			expect(must(cosignatures.CoSigV1Timestamp(line)).Unix() == 1893456000, "%s: time of cosignature", folder)
		}
		expect(len(opened.UnverifiedSigs) == 0, "%s: unverified signatures", folder)
		return state
	}
	must(note.Open(read(folder, "checkpoint"), note.VerifierList(logKey)))
	state := open(read(folder, "checkpoint"))
	size := int64(state.Size)

	var stored tree
	leaves := make([]tlog.Hash, size)
	for index, entry := range entries(folder, size) {
		leaves[index] = tlog.RecordHash(entry)
		stored = append(stored, must(tlog.StoredHashes(int64(index), entry, stored))...)
	}
	root := must(tlog.TreeHash(size, stored))
	expect(string(root[:]) == string(state.Hash), "%s: root", folder)

	proofs := must(filepath.Glob(filepath.Join(folder, "proofs", "*")))
	for _, file := range proofs {
		var found proof.TLogProof
		check(found.Unmarshal(read(file)))
		expect(string(found.Marshal()) == string(read(file)), "%s is not as formats writes it", file)
		expect(open(found.Checkpoint).Size == state.Size, "%s: checkpoint", file)
		path := make(tlog.RecordProof, len(found.Hashes))
		for i, hash := range found.Hashes {
			path[i] = hash
		}
		check(tlog.CheckRecord(path, size, root, int64(found.Index), leaves[found.Index]))
		expect(fmt.Sprint(path) == fmt.Sprint(must(tlog.ProveRecord(size, int64(found.Index), stored))), "%s: other proof", file)
	}

	grown := must(filepath.Glob(filepath.Join(folder, "consistency", "*")))
	for _, file := range grown {
		old := must(strconv.ParseInt(filepath.Base(file), 10, 64))
		hashes := make(tlog.TreeProof, 0, 64)
		for _, line := range strings.Fields(string(read(file))) {
			hashes = append(hashes, tlog.Hash(must(base64.StdEncoding.DecodeString(line))))
		}
		check(tlog.CheckTree(hashes[1:], size, root, old, hashes[0]))
		expect(fmt.Sprint(hashes[1:]) == fmt.Sprint(must(tlog.ProveTree(size, old, stored))), "%s: other proof", file)
	}
	fmt.Printf("%s: %d entries, %d inclusion and %d consistency proofs hold\n", folder, size, len(proofs), len(grown))
}

func main() {
	expect(len(os.Args) > 1, "usage: go run . FOLDER...")
	for _, folder := range os.Args[1:] {
		verify(folder)
	}
}
