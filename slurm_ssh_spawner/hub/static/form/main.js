// The options form: cards in place of lists, only the fields that the picked profile has at the picked cluster, what
// is free now, and what would be started.  Without this script the lists stay and the server decides.
import { unmark } from "./cards.js";
import { keepDraft, restore } from "./draft.js";
import { choices, isTyped, keepFrom, leaveOutUsual, sayOfHidden, showAllFields, showFields } from "./fields.js";
import { followForecasts } from "./forecast.js";
import { offerLink } from "./link.js";
import { ask, profiles, take } from "./offer.js";
import { away, filled, first, form, options, profile, site, start } from "./page.js";
import { offerPresets } from "./presets.js";
import { isChanged, showPreview } from "./preview.js";
import { beginProfiles, checkProfile, describe, isDescribed, profileCards, showProfiles } from "./profiles.js";
import { offerScript, showScript } from "./script.js";
import { showSites, siteCards } from "./sites.js";

const LOOK_MS = 300;
const REFRESH_MS = 30000;

let looking = null;
let resting = 0;
let pickedBefore = profile.value;

// Of what is not asked any more, nobody knows how old it is.
function answered(problem) {
  const isOurs = problem && (problem.name === "AbortError" || (problem >= 400 && problem < 500 && problem !== 403));
  // The server decides about other choices when they are sent, as without this script.
  if (!isOurs && away.hidden === Boolean(problem)) {
    away.hidden = !problem;
    showSites();
  }
}

function look() {
  clearTimeout(resting);
  if (looking) {
    looking.abort();
  }
  looking = new AbortController();
  return ask(choices(), looking.signal)
    .then((offer) => {
      take(offer);
      answered(null);
      showSites();
      if (!isDescribed()) {
        describe();
      }
      showFields(false);
      showPreview(offer.preview);
      showScript();
    })
    .catch(answered);
}

function lookSoon() {
  clearTimeout(resting);
  resting = setTimeout(look, LOOK_MS);
}

function lookIfSeen() {
  if (!document.hidden) {
    look();
  }
}

function profileChanged() {
  const before = profiles[pickedBefore];
  pickedBefore = profile.value;
  unmark(profile, profileCards);
  unmark(site, siteCards);
  if (before) {
    keepFrom(before.name);
  }
  checkProfile();
  describe();
  if (profiles[profile.value]) {
    showSites();
    showFields(true);
  } else {
    showAllFields();
  }
  lookSoon();
}

function siteChanged() {
  unmark(site, siteCards);
  showSites();
  if (profiles[profile.value]) {
    showFields(true);
  }
  lookSoon();
}

function fieldChanged(event) {
  if (event.target.closest("[data-field]")) {
    isChanged(event.target.name);
    isTyped(event.target.name);
    lookSoon();
  }
}

function nameChanged(input) {
  const shown = input.value.trim().replace(/\s+/g, " ");
  const title = shown ? filled(input.dataset.title, { name: shown }) : input.dataset.usual;
  document.querySelector("h1").textContent = title;
  document.title = title;
}

function listen() {
  profile.addEventListener("change", profileChanged);
  site.addEventListener("change", siteChanged);
  options.addEventListener("input", fieldChanged);
  options.addEventListener("change", keepDraft);
  options.addEventListener("input", keepDraft);
  form.addEventListener("formdata", leaveOutUsual);
  form.addEventListener("submit", () => setTimeout(() => { start.disabled = true; }));
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) {
      start.disabled = false;
      look();
    }
  });
  options.addEventListener("asked-again", look);
  const name = document.getElementById("server-name");
  if (name) {
    name.addEventListener("input", () => {
      nameChanged(name);
      keepDraft();
    });
  }
  document.addEventListener("visibilitychange", lookIfSeen);
  setInterval(lookIfSeen, REFRESH_MS);
}

function begin() {
  const isWrong = profile.matches("[autofocus]") ? profileCards : site.matches("[autofocus]") ? siteCards : null;
  take(first);
  beginProfiles();
  showSites();
  describe();
  showFields(false);
  sayOfHidden();
  listen();
  offerLink();
  offerPresets();
  followForecasts();
  offerScript();
  if (isWrong) {
    isWrong.querySelector("input:checked").focus();
  }
  options.setAttribute("aria-busy", "true");
  ask({})
    .then((offer) => {
      take(offer);
      showProfiles();
      restore();
    })
    .catch(answered)
    .then(look)
    .then(() => options.removeAttribute("aria-busy"));
}

begin();
