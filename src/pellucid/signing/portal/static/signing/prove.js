// Answer a challenge with the key in this browser; only ever under the type of challenges.
import { CHALLENGE_TYPE, able, fromBase64, held, say, send, sign } from "./keys.js";

const section = document.getElementById("browser-proof");

async function show() {
  const { account, key, payload } = section.dataset;
  const found = (await able()) ? await held(account) : undefined;
  if (found?.id !== key) return say(section, "none");
  say(section, "ready");
  section.querySelector('[data-do="prove"]').addEventListener("click", async (event) => {
    event.target.disabled = true;
    try {
      send(await sign(found, CHALLENGE_TYPE, fromBase64(payload)));
    } catch {
      say(section, "failed");
    }
  });
}

if (section) show().catch(() => say(section, "failed"));
