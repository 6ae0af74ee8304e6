package main

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
	"pellucid.test/oracle/ask"
)

type tesseraQuestion struct {
	URL     string `json:"url"`
	Witness string `json:"witness"` // vkey
	Secret  string `json:"secret"`
	Vkey    string `json:"vkey"`
	Folder  string `json:"folder"`
	First   int    `json:"first"`
	Count   int    `json:"count"`
	Seconds int    `json:"seconds"`
}

type tesseraAnswer struct {
	Note string `json:"note"`
	Time int64  `json:"time"`
	Last uint64 `json:"last"`
}

// growTessera adds entries to a log of Tessera's in a folder; its checkpoint is published only if our witness cosigns.
func growTessera(decode func(any) error) (any, error) {
	var question tesseraQuestion
	if err := decode(&question); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(question.Seconds)*time.Second)
	defer cancel()
	options, err := witnessedBy(question)
	if err != nil {
		return nil, err
	}
	driver, err := posix.New(ctx, posix.Config{Path: question.Folder})
	if err != nil {
		return nil, err
	}
	appender, shutdown, reader, err := tessera.NewAppender(ctx, driver, options)
	if err != nil {
		return nil, ask.Refuse(err) // it publishes the empty tree before anything else
	}
	awaiter := tessera.NewPublicationAwaiter(ctx, reader.ReadCheckpoint, 50*time.Millisecond)
	var answer tesseraAnswer
	for number := range question.Count {
		future := appender.Add(ctx, tessera.NewEntry(fmt.Appendf(nil, "entry %d", question.First+number)))
		if number+1 < question.Count {
			continue
		}
		index, checkpoint, err := awaiter.Await(ctx, future)
		if err != nil {
			return nil, ask.Refuse(fmt.Errorf("not published: %w", err))
		}
		answer.Last, answer.Note = index.Index, string(checkpoint)
	}
	if answer.Time, err = openBoth(answer.Note, question.Vkey, question.Witness); err != nil {
		return nil, err
	}
	return answer, shutdown(ctx)
}

func witnessedBy(question tesseraQuestion) (*tessera.AppendOptions, error) {
	signer, err := note.NewSigner(question.Secret)
	if err != nil {
		return nil, err
	}
	address, err := url.Parse(question.URL)
	if err != nil {
		return nil, err
	}
	witness, err := tessera.NewWitness(question.Witness, address)
	if err != nil {
		return nil, err
	}
	options := tessera.NewAppendOptions().WithCheckpointSigner(signer).WithBatching(64, 50*time.Millisecond)
	options = options.WithCheckpointInterval(100 * time.Millisecond)
	return options.WithWitnesses(tessera.NewWitnessGroup(1, witness), &tessera.WitnessOptions{Timeout: 5 * time.Second}), nil
}
