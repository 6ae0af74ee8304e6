package main

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/api/layout"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pellucid.test/oracle/ask"
)

const height = 8

type readQuestion struct {
	URL     string  `json:"url"`
	Vkey    string  `json:"vkey"`
	Indices []int64 `json:"indices"`
	Kept    []int64 `json:"kept"`
}

type readAnswer struct {
	Size    int64     `json:"size"`
	Root    tlog.Hash `json:"root"`
	Entries [][]byte  `json:"entries"`
	Tiles   int       `json:"tiles"`
}

// tiles reads the tiles of a served log for golang.org/x/mod, whose paths have the height in them.
type tiles struct{ root string }

func (tiles) Height() int { return height }

func (tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range wanted {
		data, err := fetch(t.root, strings.Replace(tile.Path(), "tile/8/", "tile/", 1))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func openHead(data []byte, verifier note.Verifier) (tlog.Tree, error) {
	head, _, _, err := log.ParseCheckpoint(data, verifier.Name(), verifier)
	if err != nil {
		return tlog.Tree{}, err
	}
	tree := tlog.Tree{N: int64(head.Size)}
	copy(tree.Hash[:], head.Hash)
	return tree, nil
}

// readLog proves entries and older checkpoints from the tiles that a log serves (golang.org/x/mod), and compares every
// tile of the newest tree with what its hashes give.
func readLog(decode func(any) error) (any, error) {
	var question readQuestion
	if err := decode(&question); err != nil {
		return nil, err
	}
	verifier, err := note.NewVerifier(question.Vkey)
	if err != nil {
		return nil, err
	}
	data, err := fetch(question.URL, "checkpoint")
	if err != nil {
		return nil, err
	}
	tree, err := openHead(data, verifier)
	if err != nil {
		return nil, ask.Refuse(err)
	}
	answer := readAnswer{Size: tree.N, Root: tree.Hash}
	hashes := tlog.TileHashReader(tree, tiles{question.URL})
	for _, index := range question.Indices {
		entry, err := proveEntry(question.URL, tree, index, hashes)
		if err != nil {
			return nil, ask.Refuse(fmt.Errorf("entry %d: %w", index, err))
		}
		answer.Entries = append(answer.Entries, entry)
	}
	for _, size := range question.Kept {
		if err := proveOlder(question.URL, verifier, tree, size, hashes); err != nil {
			return nil, ask.Refuse(fmt.Errorf("kept checkpoint %d: %w", size, err))
		}
	}
	answer.Tiles, err = compareTiles(question.URL, tree, hashes)
	if err != nil {
		return nil, ask.Refuse(err)
	}
	return answer, nil
}

func proveEntry(root string, tree tlog.Tree, index int64, hashes tlog.HashReader) ([]byte, error) {
	bundle := uint64(index) / layout.EntryBundleWidth
	data, err := fetch(root, layout.EntriesPath(bundle, layout.PartialTileSize(0, bundle, uint64(tree.N))))
	if err != nil {
		return nil, err
	}
	var entries api.EntryBundle
	if err := entries.UnmarshalText(data); err != nil {
		return nil, err
	}
	entry := entries.Entries[index%layout.EntryBundleWidth]
	proof, err := tlog.ProveRecord(tree.N, index, hashes)
	if err != nil {
		return nil, err
	}
	return entry, tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry))
}

func proveOlder(root string, verifier note.Verifier, tree tlog.Tree, size int64, hashes tlog.HashReader) error {
	path := strings.TrimPrefix(layout.TilePath(0, uint64(size), 0), "tile/0/")
	data, err := fetch(root, "checkpoints/"+path)
	if err != nil {
		return err
	}
	older, err := openHead(data, verifier)
	if err != nil {
		return err
	}
	proof, err := tlog.ProveTree(tree.N, older.N, hashes)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, older.N, older.Hash)
}

func compareTiles(root string, tree tlog.Tree, hashes tlog.HashReader) (int, error) {
	wanted := tlog.NewTiles(height, 0, tree.N)
	for _, tile := range wanted {
		served, err := tiles{root}.ReadTiles([]tlog.Tile{tile})
		if err != nil {
			return 0, err
		}
		expected, err := tlog.ReadTileData(tile, hashes)
		if err != nil {
			return 0, err
		}
		if !bytes.Equal(served[0], expected) {
			return 0, fmt.Errorf("%s holds other hashes", tile.Path())
		}
	}
	return len(wanted), nil
}

type fsckQuestion struct {
	URL  string `json:"url"`
	Vkey string `json:"vkey"`
}

// checkAll derives a served log again from its entries (Tessera's fsck).
func checkAll(decode func(any) error) (any, error) {
	var question fsckQuestion
	if err := decode(&question); err != nil {
		return nil, err
	}
	verifier, err := note.NewVerifier(question.Vkey)
	if err != nil {
		return nil, err
	}
	root, err := url.Parse(question.URL)
	if err != nil {
		return nil, err
	}
	fetcher, err := client.NewHTTPFetcher(root, web)
	if err != nil {
		return nil, err
	}
	check := fsck.New(verifier.Name(), verifier, fetcher, leafHashes, fsck.Opts{N: 2})
	if err := check.Check(context.Background()); err != nil {
		return nil, ask.Refuse(err)
	}
	return true, nil
}

func leafHashes(bundle []byte) ([][]byte, error) {
	var entries api.EntryBundle
	if err := entries.UnmarshalText(bundle); err != nil {
		return nil, err
	}
	var all [][]byte
	for _, entry := range entries.Entries {
		leaf := tlog.RecordHash(entry)
		all = append(all, leaf[:])
	}
	return all, nil
}
