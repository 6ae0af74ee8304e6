// Sign a statement with the key in this browser. The id and the text are made here, from the bytes that are signed.
import { STATEMENT_TYPE, able, fromBase64, held, pae, say, send, sha256, sign, slot } from "./keys.js";

const section = document.getElementById("browser-signing");

async function show() {
  const { account, keys, payload, statement } = section.dataset;
  if (!(await able())) return say(section, "absent");
  const found = await held(account);
  if (!found || !keys.split(" ").includes(found.id)) return say(section, "none");
  const bytes = fromBase64(payload);
  const id = await sha256(pae(STATEMENT_TYPE, bytes));
  const shown = document.getElementById("claimed-id").querySelector("code").textContent;
  if (id !== statement || id !== shown) return say(section, "unequal");
  slot(section, "id", id);
  slot(section, "key", found.id);
  slot(section, "text", new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  say(section, "ready");
  offer(found, bytes);
}

function offer(found, bytes) {
  const read = document.getElementById("read");
  const button = section.querySelector('[data-do="sign"]');
  read.checked = false;
  read.addEventListener("change", () => (button.disabled = !read.checked));
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      send(await sign(found, STATEMENT_TYPE, bytes));
    } catch {
      say(section, "failed");
    }
  });
}

show().catch(() => say(section, "failed"));
