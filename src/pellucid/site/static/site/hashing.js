// A worker that hashes one file, so that the page stays awake: takes a File, answers with progress and the digest.
import { Sha256 } from "./sha256.js";

const EVERY = 200; // milliseconds between two words on progress

self.addEventListener("message", async ({ data: file }) => {
  try {
    const hash = new Sha256();
    const reader = file.stream().getReader();
    let read = 0;
    let told = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      hash.update(value);
      read += value.length;
      if (performance.now() - told > EVERY) {
        told = performance.now();
        self.postMessage({ read });
      }
    }
    self.postMessage(read === file.size ? { read, digest: hash.hex() } : { changed: true });
  } catch (error) {
    self.postMessage({ problem: error.message });
  }
});
