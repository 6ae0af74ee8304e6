// Command served lets others' Go code judge logs and witnesses over HTTP; see package ask for how it is asked.
//
// It is apart from the oracle because it takes much longer to build.
package main

import (
	"fmt"
	"io"
	"net/http"
	"time"

	"pellucid.test/oracle/ask"
)

var web = &http.Client{Timeout: 20 * time.Second}

func main() {
	ask.Main(map[string]ask.Command{
		"cosign":  askWitness,
		"fsck":    checkAll,
		"key":     makeKey,
		"read":    readLog,
		"tessera": growTessera,
	})
}

func fetch(root, path string) ([]byte, error) {
	reply, err := web.Get(root + "/" + path)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(io.LimitReader(reply.Body, 64<<20))
	if err == nil && reply.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", path, reply.Status)
	}
	return body, err
}
