// Command oracle lets others' Go code judge what Pellucid writes; see package ask for how it is asked.
package main

import "pellucid.test/oracle/ask"

func main() {
	ask.Main(map[string]ask.Command{
		"cosigned":    openCosigned,
		"consistency": checkConsistency,
		"inclusion":   checkInclusion,
		"open":        openNote,
		"sign":        signNote,
		"tile":        tilePath,
	})
}
