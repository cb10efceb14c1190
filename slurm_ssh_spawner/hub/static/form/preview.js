// What would be started: beside each field what it means or what is wrong with it, and one sentence above the button.
import { controls } from "./fields.js";
import { expectedEnd } from "./forecast.js";
import { facing } from "./memory.js";
import { placeOf } from "./offer.js";
import { button, filled, made, moment, options, say, site, start, tell } from "./page.js";
import { takeSite } from "./sites.js";

const summary = document.getElementById("launch-summary");
const instead = document.getElementById("launch-instead");
// A sentence of the server about what was sent stays until that is changed.
const kept = new Set(Array.from(options.querySelectorAll("[aria-invalid][name]")).map((each) => each.name));

// What starts later also ends later.
let last = null;
options.addEventListener("forecast", () => {
  if (last) {
    showPreview(last);
  }
});

export function isChanged(name) {
  kept.delete(name);
}

function showProblem(control, text) {
  const id = control.name + "-problem";
  let problem = document.getElementById(id);
  if (!text && kept.has(control.name)) {
    return;
  }
  if (text && !problem) {
    problem = made("div", "invalid-feedback d-block");
    problem.id = id;
    document.getElementById(control.name + "-hint").after(problem);
  }
  const shown = facing(control);
  shown.classList.toggle("is-invalid", Boolean(text));
  if (text) {
    shown.setAttribute("aria-invalid", "true");
    tell(problem, text);
  } else if (problem) {
    shown.removeAttribute("aria-invalid");
    problem.remove();
  }
}

function describeBy(control) {
  const ids = ["hint", "echo", "problem"].map((what) => control.name + "-" + what);
  const shown = ids.filter((id) => {
    const found = document.getElementById(id);
    return found && !found.hidden;
  });
  facing(control).setAttribute("aria-describedby", shown.join(" "));
}

function showEcho(control, text) {
  const id = control.name + "-echo";
  let echo = document.getElementById(id);
  if (text && !echo) {
    echo = made("div", "form-text launch-echo");
    echo.id = id;
    control.after(echo);
  }
  if (echo) {
    tell(echo, text || "");
    echo.hidden = !text;
  }
}

export function showPreview(preview) {
  last = preview;
  const ends = preview.ends && (expectedEnd(site.value) || preview.ends);
  const end = { end: ends ? moment(ends) : "" };
  controls().forEach((control) => {
    showProblem(control, preview.problems[control.name]);
    const echo = preview.said[control.name];
    showEcho(control, echo && filled(echo, end));
    describeBy(control);
  });
  const place = placeOf(site.value);
  const isSaid = preview.summary && !preview.stop && place && (place.state === "free" || place.state === "busy");
  showSummary(preview, end, isSaid ? place.news : "");
  showInstead(preview.summary && place && place.state !== "free");
  start.disabled = Boolean(preview.stop);
}

// It is read out when something else would be started, not whenever the clock goes on.
function showSummary(preview, end, news) {
  const meant = JSON.stringify([preview.stop, preview.summary, news]);
  const text = made("span");
  const also = made("strong", "launch-news");
  tell(text, preview.stop || filled(preview.summary, end));
  tell(also, news);
  const parts = news ? [text, " ", also] : [text];
  if (summary.textContent === parts.map((each) => each.textContent || each).join("")) {
    return;
  }
  summary.setAttribute("aria-live", summary.dataset.meant === meant ? "off" : "polite");
  summary.dataset.meant = meant;
  summary.replaceChildren(...parts);
  summary.classList.toggle("launch-why", Boolean(preview.stop));
}

// What would have to wait here, or cannot be started, may start at once elsewhere.
function showInstead(isWanted) {
  const other = isWanted && Array.from(site.options).find((each) => placeOf(each.value).state === "free");
  const key = other ? other.value : "";
  // The button stays under the hands of who is at it.
  if (instead.dataset.site === key) {
    return;
  }
  instead.dataset.site = key;
  instead.hidden = !other;
  if (!other) {
    return;
  }
  const title = placeOf(key).title;
  instead.replaceChildren(
    filled(say.instead, { site: title }),
    " ",
    button("btn btn-sm btn-outline-secondary", filled(say.take, { site: title }), () => {
      showInstead(false);
      takeSite(key);
    }),
  );
}
