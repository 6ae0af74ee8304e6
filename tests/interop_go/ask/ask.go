// Package ask answers questions on the command line: PROGRAM SUBCOMMAND < question.json > answer.json.
//
// Exit 0: accepted; 1: refused, with the reason on stderr; 2: the question itself was unusable.
package ask

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

type refusal struct{ error }

// Refuse makes an error the judge's "no", as distinct from an unusable question.
func Refuse(err error) error { return refusal{err} }

// Command decodes its question and returns its answer.
type Command = func(decode func(any) error) (any, error)

// Main runs the command that the first argument names.
func Main(commands map[string]Command) {
	if len(os.Args) != 2 || commands[os.Args[1]] == nil {
		names := strings.Join(slices.Sorted(maps.Keys(commands)), "|")
		fmt.Fprintf(os.Stderr, "usage: %s %s < question.json\n", os.Args[0], names)
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
