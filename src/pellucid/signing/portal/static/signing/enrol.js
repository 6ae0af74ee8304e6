// Make a key in this browser, and begin its enrolment by the form that a pasted key goes by too.
import { able, forget, held, make, say, slot } from "./keys.js";

const section = document.getElementById("browser-key");
const { account, keys } = section.dataset;

async function show() {
  if (!(await able())) return say(section, "absent");
  const found = await held(account);
  if (!found) return say(section, "none");
  slot(section, "key", found.id);
  say(section, "held", keys.split(" ").includes(found.id) ? "enrolled" : "waiting");
}

function enrol(found) {
  const form = document.getElementById("enrol");
  form.elements.spki.value = found.spki;
  form.elements.custody.value = "browser";
  form.requestSubmit();
}

const actions = {
  make: async () => enrol(await make(account)),
  enrol: async () => enrol(await held(account)),
  forget: async () => {
    await forget(account);
    await show();
  },
};

async function attempt(action) {
  try {
    await action();
  } catch {
    say(section, "failed");
  }
}

for (const button of section.querySelectorAll("[data-do]")) {
  button.addEventListener("click", () => attempt(actions[button.dataset.do]));
}
attempt(show);
