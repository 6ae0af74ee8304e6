// Beside each time in UTC, the same moment on the reader's clock. Pages say the same without it.
const language = document.documentElement.lang.replace(/^en$/, "en-GB"); // as the server writes days
const here = new Intl.DateTimeFormat(language, {
  hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZoneName: "short",
});
const there = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" });

function day(moment, timeZone) {
  return new Intl.DateTimeFormat("en", { dateStyle: "short", timeZone }).format(moment);
}

function tell(place) {
  const time = place.closest("time");
  const moment = new Date(time.dateTime);
  if (Number.isNaN(moment.valueOf()) || moment.getTimezoneOffset() === 0) return;
  const date = day(moment) === day(moment, "UTC") ? "" : `${there.format(moment)}, `;
  const local = `${date}${here.format(moment)}`;
  if (time.closest(".lines, table")) time.title = local;
  else place.append(` · ${local}`);
}

document.querySelectorAll("time .ago").forEach(tell);
