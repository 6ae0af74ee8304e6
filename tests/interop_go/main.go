// Command oracle lets others' Go code judge what Pellucid writes.
//
// Each subcommand reads one JSON document from stdin and writes one to stdout. Exit 0: accepted; 1: refused, with the
// reason on stderr; 2: the question itself was unusable.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// A refusal is the judge's "no", as distinct from an unusable question.
type refusal struct{ error }

var commands = map[string]func(decode func(any) error) (any, error){
	"cosigned":    openCosigned,
	"consistency": checkConsistency,
	"inclusion":   checkInclusion,
	"open":        openNote,
	"sign":        signNote,
	"tile":        tilePath,
}

func main() {
	if len(os.Args) != 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: oracle cosigned|consistency|inclusion|open|sign|tile < question.json")
		os.Exit(2)
	}
	decoder := json.NewDecoder(os.Stdin)
	decoder.DisallowUnknownFields()
	answer, err := commands[os.Args[1]](decoder.Decode)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(answer)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		if _, no := err.(refusal); no {
			os.Exit(1)
		}
		os.Exit(2)
	}
}
