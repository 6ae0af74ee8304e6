package main

import (
	"crypto/rand"

	cosignature "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"pellucid.test/oracle/ask"
)

type noteQuestion struct {
	Note string `json:"note"`
	Vkey string `json:"vkey"`
}

type noteAnswer struct {
	Text string `json:"text"`
	Name string `json:"name"`
	Hash uint32 `json:"hash"`
	Time int64  `json:"time"`
}

// openNote opens a note with the Ed25519 key of a log (golang.org/x/mod).
func openNote(decode func(any) error) (any, error) {
	return open(decode, note.NewVerifier)
}

// openCosigned opens a note with the key of a cosigner (transparency-dev/formats).
func openCosigned(decode func(any) error) (any, error) {
	return open(decode, func(vkey string) (note.Verifier, error) { return cosignature.NewVerifierForCosignatureV1(vkey) })
}

func open(decode func(any) error, load func(string) (note.Verifier, error)) (any, error) {
	var question noteQuestion
	if err := decode(&question); err != nil {
		return nil, err
	}
	verifier, err := load(question.Vkey)
	if err != nil {
		return nil, ask.Refuse(err)
	}
	opened, err := note.Open([]byte(question.Note), note.VerifierList(verifier))
	if err != nil {
		return nil, ask.Refuse(err)
	}
	signature := opened.Sigs[0]
	answer := noteAnswer{Text: opened.Text, Name: signature.Name, Hash: signature.Hash}
	if time, err := cosignature.CoSigV1Timestamp(signature); err == nil {
		answer.Time = time.Unix()
	}
	return answer, nil
}

type signQuestion struct {
	Text    string `json:"text"`
	LogName string `json:"log_name"`
	Witness string `json:"witness_name"`
}

type signAnswer struct {
	Note        string `json:"note"`
	LogVkey     string `json:"log_vkey"`
	WitnessVkey string `json:"witness_vkey"`
}

// signNote signs a text with a new log key and cosigns it with a new witness key.
func signNote(decode func(any) error) (any, error) {
	var question signQuestion
	if err := decode(&question); err != nil {
		return nil, err
	}
	logSecret, logVkey, err := note.GenerateKey(rand.Reader, question.LogName)
	if err != nil {
		return nil, err
	}
	log, err := note.NewSigner(logSecret)
	if err != nil {
		return nil, err
	}
	witnessSecret, witnessVkey, err := note.GenerateKey(rand.Reader, question.Witness)
	if err != nil {
		return nil, err
	}
	witness, err := cosignature.NewSignerForCosignatureV1(witnessSecret)
	if err != nil {
		return nil, err
	}
	cosigner, err := cosignature.VKeyToCosignatureV1(witnessVkey)
	if err != nil {
		return nil, err
	}
	signed, err := note.Sign(&note.Note{Text: question.Text}, log, witness)
	if err != nil {
		return nil, ask.Refuse(err)
	}
	return signAnswer{Note: string(signed), LogVkey: logVkey, WitnessVkey: cosigner}, nil
}
