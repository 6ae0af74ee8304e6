// Adds a button that copies beside every digest and command. Pages say the same without it.
const words = document.querySelector("script[data-copied]").dataset;
const COPY = "M5.5 5.5V2.5h8v8h-3M2.5 5.5h8v8h-8z";
const DONE = "M3 8.5l3.2 3.2L13 4.8";
const FAILED = "M4 4l8 8M12 4l-8 8";
const SVG = "http://www.w3.org/2000/svg";

function drawing(path) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS(SVG, "path"));
  svg.firstChild.setAttribute("d", path);
  return svg;
}

if (navigator.clipboard) {
  const said = document.createElement("p");
  said.className = "unseen";
  said.setAttribute("role", "status");
  document.body.append(said);
  for (const source of document.querySelectorAll("[data-copy]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.append(drawing(COPY));
    const text = source.textContent;
    const shown = text.length > 24 ? `${text.slice(0, 20)}…` : text;
    button.setAttribute("aria-label", words.copy.replace("{text}", () => shown));
    button.addEventListener("click", async () => {
      let done = true;
      try {
        await navigator.clipboard.writeText(text);
      } catch {
        done = false;
      }
      said.textContent = done ? words.copied : words.failed;
      button.replaceChildren(drawing(done ? DONE : FAILED));
      setTimeout(() => button.replaceChildren(drawing(COPY)), 1600);
    });
    const place = source.closest("a") ?? source;
    if (source.closest("pre")) source.closest("pre").prepend(button);
    else place.after(button);
  }
}
