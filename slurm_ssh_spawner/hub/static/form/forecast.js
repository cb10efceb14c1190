// When Slurm would start what is chosen: asked when a choice has rested, said on the cards of the clusters that tell,
// and above the button for the one that is picked.  The form waits for none of it.
import { choices } from "./fields.js";
import { brought, form, made, options, site } from "./page.js";

const REST_MS = 1000;
const AGAIN_MS = 2500;
const REFRESH_MS = 60000;
// Nobody looks at a form for so long without touching it.
const LEFT_MS = 900000;

const summary = document.getElementById("launch-summary");
const line = made("p");
const address = brought.dataset.url.replace("api/offer?", "api/forecast?");

let told = {};
let about = "";
let asking = null;
let waiting = 0;
let touchedAt = Date.now();
// To look at a form is no reason to send a ticket anywhere.
let isChosen = false;

// When the time of what is chosen would be up at a cluster, null if it starts at once, or nobody has said when.
export function expectedEnd(key) {
  return told[key] ? told[key].ends : null;
}

// Return whether it says something else than before.
function fill(element, each) {
  const meant = each ? each.said + (each.begins || "") : "";
  if ((element.dataset.meant || "") === meant) {
    return false;
  }
  element.dataset.meant = meant;
  element.classList.toggle("launch-why", Boolean(each && each.refused));
  const [before, after] = each && each.begins ? each.said.split("{begins}") : [each ? each.said : ""];
  element.replaceChildren(before);
  if (after !== undefined) {
    const time = made("time");
    time.dateTime = each.begins;
    element.append(time, after);
    window.launchMoments(element);
  }
  return true;
}

function show() {
  if (fill(line, told[site.value])) {
    options.dispatchEvent(new Event("forecast"));
  }
  options.querySelectorAll("[name=pick-site]").forEach((radio) => {
    const card = radio.closest(".page-card");
    let said = card.querySelector(".launch-forecast");
    if (!said && told[radio.value]) {
      said = made("span", "launch-forecast secondary");
      card.append(said);
    }
    if (said) {
      fill(said, told[radio.value]);
    }
  });
}

function later(milliseconds, tries) {
  clearTimeout(waiting);
  waiting = setTimeout(() => ask(tries), milliseconds);
}

function ask(tries) {
  if (document.hidden) {
    return;
  }
  if (Date.now() - touchedAt > LEFT_MS) {
    told = {};
    show();
    return;
  }
  const query = about;
  asking = new AbortController();
  const headers = { "X-XSRFToken": window.jhdata.xsrf_token };
  fetch(address + "&" + query, { cache: "no-store", headers: headers, signal: asking.signal })
    .then((answer) => (answer.ok ? answer.json() : { sites: {}, again: false }))
    .then((answer) => {
      if (query === about) {
        told = answer.sites;
        show();
        // Where many ask, each asks less often.
        later(answer.again ? Math.min(AGAIN_MS * 2 ** tries, REFRESH_MS) : REFRESH_MS, answer.again ? tries + 1 : 0);
      }
    })
    .catch((problem) => {
      // Who is without a hub is told so by the form.
      if (problem.name !== "AbortError") {
        later(REFRESH_MS, 0);
      }
    });
}

// Whoever comes back to a form that was left is told anew.
function touched() {
  if (Date.now() - touchedAt > LEFT_MS) {
    later(REST_MS, 0);
  }
  touchedAt = Date.now();
}

// What was said of another choice is not said of this one.
function changed() {
  const query = new URLSearchParams(Object.assign(choices(), isChosen ? {} : { open: "0" })).toString();
  if (query !== about) {
    about = query;
    told = {};
    if (asking) {
      asking.abort();
    }
    later(REST_MS, 0);
  }
  show();
}

export function followForecasts() {
  line.id = "launch-forecast";
  // It has to be there before anything is said in it.
  line.setAttribute("role", "status");
  summary.after(line);
  ["input", "change", "click"].forEach((name) => form.addEventListener(name, (event) => {
    isChosen = isChosen || event.isTrusted;
    touched();
    // When the form itself has followed it.
    setTimeout(changed);
  }, true));
  // The form also fills in a draft, or what is saved; it says then what would be started.
  new MutationObserver(changed).observe(summary, { childList: true, characterData: true, subtree: true });
  document.addEventListener("visibilitychange", () => {
    touched();
    later(REST_MS, 0);
  });
  changed();
}
