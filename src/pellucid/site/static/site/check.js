// Hash a dropped or chosen file in a worker, then go to the page on its digest. Nothing but the digest leaves.
const drop = document.getElementById("drop");
const chosen = document.getElementById("file");
const working = document.getElementById("working");
const progress = document.getElementById("progress");
const status = document.getElementById("status");
const words = drop.dataset;
let worker = null;

drop.hidden = false;

function end() {
  worker?.terminate();
  worker = null;
}

function rest(words) {
  end();
  working.hidden = true;
  chosen.value = "";
  status.textContent = words;
}

function check(file) {
  end();
  status.textContent = words.reading.replace("{name}", () => file.name);
  working.hidden = false;
  progress.value = 0;
  worker = new Worker(drop.dataset.worker, { type: "module" });
  worker.addEventListener("message", ({ data }) => {
    if (data.changed || data.problem) {
      const told = words.unreadable.replace("{name}", () => file.name);
      return rest(told.replace("{problem}", () => (data.changed ? words.changed : data.problem)));
    }
    progress.value = file.size ? data.read / file.size : 1;
    if (data.digest) location.assign(`/digest/${data.digest}`);
  });
  worker.addEventListener("error", () => rest(words.idle));
  worker.postMessage(file);
}

chosen.addEventListener("change", () => chosen.files[0] && check(chosen.files[0]));
document.getElementById("stop").addEventListener("click", () => {
  rest(words.stopped);
  chosen.focus();
});
window.addEventListener("pageshow", () => rest(""));

for (const name of ["dragenter", "dragover"]) {
  window.addEventListener(name, (event) => {
    event.preventDefault();
    drop.toggleAttribute("data-over", true);
  });
}
for (const name of ["dragleave", "drop"]) {
  window.addEventListener(name, (event) => {
    event.preventDefault();
    drop.toggleAttribute("data-over", false);
  });
}
window.addEventListener("drop", (event) => {
  const item = event.dataTransfer.items?.[0]?.webkitGetAsEntry?.();
  const file = event.dataTransfer.files[0];
  if (item?.isDirectory) rest(words.folder);
  else if (file) check(file);
});
