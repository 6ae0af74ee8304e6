package main

import (
	"golang.org/x/mod/sumdb/tlog"
	"pellucid.test/oracle/ask"
)

type inclusionQuestion struct {
	Index int64       `json:"index"`
	Size  int64       `json:"size"`
	Root  tlog.Hash   `json:"root"`
	Entry []byte      `json:"entry"`
	Proof []tlog.Hash `json:"proof"`
}

// checkInclusion checks that a tree holds an entry (golang.org/x/mod).
func checkInclusion(decode func(any) error) (any, error) {
	var question inclusionQuestion
	if err := decode(&question); err != nil {
		return nil, err
	}
	leaf := tlog.RecordHash(question.Entry)
	if err := tlog.CheckRecord(question.Proof, question.Size, question.Root, question.Index, leaf); err != nil {
		return nil, ask.Refuse(err)
	}
	return leaf, nil
}

type consistencyQuestion struct {
	OldSize int64       `json:"old_size"`
	OldRoot tlog.Hash   `json:"old_root"`
	NewSize int64       `json:"new_size"`
	NewRoot tlog.Hash   `json:"new_root"`
	Proof   []tlog.Hash `json:"proof"`
}

// checkConsistency checks that one tree is a prefix of another (golang.org/x/mod).
func checkConsistency(decode func(any) error) (any, error) {
	var question consistencyQuestion
	if err := decode(&question); err != nil {
		return nil, err
	}
	err := tlog.CheckTree(question.Proof, question.NewSize, question.NewRoot, question.OldSize, question.OldRoot)
	if err != nil {
		return nil, ask.Refuse(err)
	}
	return true, nil
}

type tileQuestion struct {
	Level int   `json:"level"`
	Index int64 `json:"index"`
	Width int   `json:"width"`
}

// tilePath names a tile of height 8 (golang.org/x/mod; its paths begin tile/8/ where tlog-tiles has tile/).
func tilePath(decode func(any) error) (any, error) {
	var question tileQuestion
	if err := decode(&question); err != nil {
		return nil, err
	}
	return tlog.Tile{H: 8, L: question.Level, N: question.Index, W: question.Width}.Path(), nil
}
