// The key that this browser keeps for an account, and DSSE signatures by it. The secret half cannot leave the browser.

const DATABASE = "pellucid";
const STORE = "party-keys";
const ALGORITHM = { name: "Ed25519" };

export const STATEMENT_TYPE = "application/vnd.in-toto+json";
export const CHALLENGE_TYPE = "application/vnd.pellucid.key-challenge+json";

export function fromBase64(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

function toBase64(bytes) {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

export async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// DSSE's pre-authentication encoding: what is signed, and whose SHA-256 is the statement's id.
export function pae(type, payload) {
  const head = new TextEncoder().encode(`DSSEv1 ${type.length} ${type} ${payload.length} `);
  const bytes = new Uint8Array(head.length + payload.length);
  bytes.set(head);
  bytes.set(payload, head.length);
  return bytes;
}

export async function sign(held, type, payload) {
  const signature = new Uint8Array(await crypto.subtle.sign(ALGORITHM, held.pair.privateKey, pae(type, payload)));
  return JSON.stringify({
    payloadType: type,
    payload: toBase64(payload),
    signatures: [{ keyid: held.id, sig: toBase64(signature) }],
  });
}

// Whether there is Ed25519 here, and a place to keep a key; false where the page did not come over HTTPS.
export async function able() {
  if (!globalThis.crypto?.subtle || !globalThis.indexedDB) return false;
  try {
    await crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]);
    return true;
  } catch {
    return false;
  }
}

export async function make(account) {
  const pair = await crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]);
  const spki = new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey));
  const held = { account, pair, id: await sha256(spki), spki: toBase64(spki) };
  await inStore("readwrite", (store) => store.add(held));
  return held;
}

export function held(account) {
  return inStore("readonly", (store) => store.get(account));
}

export function forget(account) {
  return inStore("readwrite", (store) => store.delete(account));
}

async function inStore(mode, ask) {
  const database = await opened();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(STORE, mode);
      const request = ask(transaction.objectStore(STORE));
      transaction.addEventListener("complete", () => resolve(request.result));
      transaction.addEventListener("abort", () => reject(transaction.error));
    });
  } finally {
    database.close();
  }
}

function opened() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.addEventListener("upgradeneeded", () => request.result.createObjectStore(STORE, { keyPath: "account" }));
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error));
    request.addEventListener("blocked", () => reject(new Error("blocked")));
  });
}

// Show, of the pieces of a section that say how things stand, the ones named.
export function say(section, ...names) {
  for (const piece of section.querySelectorAll("[data-say]")) piece.hidden = !names.includes(piece.dataset.say);
}

export function slot(section, name, text) {
  for (const place of section.querySelectorAll(`[data-slot="${name}"]`)) place.textContent = text;
}

// Send what was signed by the form of the page, as if it had been pasted there.
export function send(envelope) {
  const form = document.getElementById("envelope");
  form.elements.text.value = envelope;
  form.elements.file.value = "";
  form.requestSubmit();
}
