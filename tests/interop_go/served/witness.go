package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/transparency-dev/formats/log"
	cosignature "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pellucid.test/oracle/ask"
)

type keyQuestion struct {
	Name string `json:"name"`
}

type keyAnswer struct {
	Secret string `json:"secret"`
	Vkey   string `json:"vkey"`
}

// makeKey makes the key of a log (golang.org/x/mod).
func makeKey(decode func(any) error) (any, error) {
	var question keyQuestion
	if err := decode(&question); err != nil {
		return nil, err
	}
	secret, vkey, err := note.GenerateKey(rand.Reader, question.Name)
	return keyAnswer{secret, vkey}, err
}

type cosignQuestion struct {
	URL     string `json:"url"`
	Witness string `json:"witness"` // vkey
	Secret  string `json:"secret"`
	Vkey    string `json:"vkey"`
	Origin  string `json:"origin"`
	Tree    string `json:"tree"` // entries of trees of different names differ
	Old     int64  `json:"old"`
	Size    int64  `json:"size"`
	Spoil   string `json:"spoil"` // what to get wrong: proof, signature or nothing
}

type cosignAnswer struct {
	Status int    `json:"status"`
	Type   string `json:"type"`
	Body   string `json:"body"`
	Time   int64  `json:"time"`
	Note   string `json:"note"`
}

// A forest keeps the hashes of a tree as golang.org/x/mod orders them.
type forest []tlog.Hash

func (f forest) ReadHashes(indices []int64) ([]tlog.Hash, error) {
	var all []tlog.Hash
	for _, index := range indices {
		all = append(all, f[index])
	}
	return all, nil
}

func grow(name string, size int64) (forest, error) {
	var trees forest
	for index := range size {
		hashes, err := tlog.StoredHashes(index, fmt.Appendf(nil, "%s %d", name, index), trees)
		if err != nil {
			return nil, err
		}
		trees = append(trees, hashes...)
	}
	return trees, nil
}

// askWitness signs the checkpoint of a tree that is made here, has a witness cosign it, and opens what that answers
// with both keys.
func askWitness(decode func(any) error) (any, error) {
	var question cosignQuestion
	if err := decode(&question); err != nil {
		return nil, err
	}
	trees, err := grow(question.Tree, question.Size)
	if err != nil {
		return nil, err
	}
	signed, err := signHead(question, trees)
	if err != nil {
		return nil, err
	}
	var proof tlog.TreeProof
	if 0 < question.Old && question.Old <= question.Size {
		if proof, err = tlog.ProveTree(question.Size, question.Old, trees); err != nil {
			return nil, err
		}
	}
	switch question.Spoil {
	case "proof":
		proof[0][7] ^= 1
	case "signature":
		signed = spoilSignature(signed)
	}
	return post(question, proof, signed)
}

func signHead(question cosignQuestion, trees forest) ([]byte, error) {
	root, err := tlog.TreeHash(question.Size, trees)
	if err != nil {
		return nil, err
	}
	signer, err := note.NewSigner(question.Secret)
	if err != nil {
		return nil, err
	}
	head := log.Checkpoint{Origin: question.Origin, Size: uint64(question.Size), Hash: root[:]}
	return note.Sign(&note.Note{Text: string(head.Marshal())}, signer)
}

func spoilSignature(signed []byte) []byte {
	head, line, _ := strings.Cut(string(signed), "\n— ")
	name, encoded, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
	raw, _ := base64.StdEncoding.DecodeString(encoded)
	raw[len(raw)-1] ^= 1
	return fmt.Appendf(nil, "%s\n— %s %s\n", head, name, base64.StdEncoding.EncodeToString(raw))
}

func post(question cosignQuestion, proof tlog.TreeProof, signed []byte) (any, error) {
	body := fmt.Sprintf("old %d\n", question.Old)
	for _, hash := range proof {
		body += hash.String() + "\n"
	}
	reply, err := web.Post(question.URL+"/add-checkpoint", "text/plain", strings.NewReader(body+"\n"+string(signed)))
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	said, err := io.ReadAll(io.LimitReader(reply.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	answer := cosignAnswer{Status: reply.StatusCode, Type: reply.Header.Get("Content-Type"), Body: string(said)}
	if reply.StatusCode != http.StatusOK {
		return answer, nil
	}
	answer.Note = string(signed) + string(said)
	answer.Time, err = openBoth(answer.Note, question.Vkey, question.Witness)
	return answer, err
}

// openBoth opens a note with the keys of a log and a witness, and returns the time of the cosignature.
func openBoth(text, logKey, witnessKey string) (int64, error) {
	logVerifier, err := note.NewVerifier(logKey)
	if err != nil {
		return 0, err
	}
	witness, err := cosignature.NewVerifierForCosignatureV1(witnessKey)
	if err != nil {
		return 0, err
	}
	opened, err := note.Open([]byte(text), note.VerifierList(logVerifier, witness))
	if err != nil {
		return 0, ask.Refuse(err)
	}
	for _, signature := range opened.Sigs {
		if signature.Hash == witness.KeyHash() {
			time, err := cosignature.CoSigV1Timestamp(signature)
			return time.Unix(), err
		}
	}
	return 0, ask.Refuse(errors.New("no cosignature of the witness"))
}
