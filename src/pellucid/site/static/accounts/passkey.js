// Passkeys: turns a form with data-passkey into one that asks the browser for a passkey before it is sent.
// "create" and "get" take their options from the page; "sign-in" fetches a challenge when the button is pressed.

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));

const text = (buffer) => {
  const letters = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
};

const withBytes = (list) => (list ?? []).map((key) => ({ ...key, id: bytes(key.id) }));

function creation(options) {
  return {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: withBytes(options.excludeCredentials),
  };
}

function request(options) {
  return { ...options, challenge: bytes(options.challenge), allowCredentials: withBytes(options.allowCredentials) };
}

function written(credential) {
  const response = {};
  for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[name]) response[name] = text(credential.response[name]);
  }
  if (credential.response.getTransports) response.transports = credential.response.getTransports();
  return JSON.stringify({
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    response,
    authenticatorAttachment: credential.authenticatorAttachment,
    clientExtensionResults: credential.getClientExtensionResults(),
  });
}

async function challenge(form) {
  const body = new URLSearchParams({ csrfmiddlewaretoken: form.elements.csrfmiddlewaretoken.value });
  const answer = await fetch(form.action, { method: "POST", body, credentials: "same-origin" });
  if (!answer.ok) throw new Error(`the node answered ${answer.status}`);
  return (await answer.json()).publicKey;
}

async function ask(form) {
  if (form.dataset.passkey === "sign-in") {
    return navigator.credentials.get({ publicKey: request(await challenge(form)) });
  }
  const options = JSON.parse(document.getElementById("passkey-options").textContent).publicKey;
  return form.dataset.passkey === "create"
    ? navigator.credentials.create({ publicKey: creation(options) })
    : navigator.credentials.get({ publicKey: request(options) });
}

function tell(form, error) {
  const problem = form.querySelector("[data-passkey-problem]");
  const kind = { NotAllowedError: "refused", InvalidStateError: "known" }[error.name] ?? "failed";
  problem.textContent = problem.dataset[kind];
  problem.hidden = false;
}

function take(form) {
  const button = form.querySelector("button");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      const credential = await ask(form);
      form.elements.credential.disabled = false;
      form.elements.credential.value = written(credential);
      form.submit();
    } catch (error) {
      tell(form, error);
      button.disabled = false;
    }
  });
  form.hidden = false;
  const off = form.parentElement.querySelector("[data-passkey-off]");
  if (off) off.hidden = true;
}

const numeric = /^(\[.*\]|[0-9.]+)$/.test(location.hostname);
if (window.PublicKeyCredential && !numeric) {
  document.querySelectorAll("form[data-passkey]").forEach(take);
}
