// What was filled in outlives the page, in the tab where it was, for an hour.
import { choices, fillIn } from "./fields.js";
import { profiles, recent } from "./offer.js";
import { button, made, options, picked, profile, say, site } from "./page.js";

const DRAFT_MS = 3600000;
const title = document.getElementById("server-name");
// Of one person and server: somebody else may log in in the same tab.
const draftKey = "launch-draft:" + window.jhdata.user + ":" + location.pathname;

export function keepDraft() {
  try {
    sessionStorage.setItem(draftKey, JSON.stringify({ at: Date.now(), choices: choices(), name: title ? title.value : "" }));
  } catch (error) {
    // A browser that keeps nothing works as well.
  }
}

function draft() {
  try {
    const found = JSON.parse(sessionStorage.getItem(draftKey));
    const isSent = recent.some((each) => Date.parse(each.begun) > found.at - 1000);
    return found && !isSent && Date.now() - found.at < DRAFT_MS ? found : null;
  } catch (error) {
    return null;
  }
}

function forget() {
  try {
    sessionStorage.removeItem(draftKey);
  } catch (error) {
    // There is none.
  }
}

function isSame(one, other) {
  const names = new Set(Object.keys(one).concat(Object.keys(other)));
  return Array.from(names).every((name) => one[name] === other[name]);
}

export function restore() {
  const isAnswer = document.querySelector(".spawn-error-msg, #server-name-problem, #launch-note");
  const found = !isAnswer && draft();
  const hasName = found && title && found.name && !title.value;
  const chosen = found ? found.choices : {};
  if (!profiles[chosen.profile] || (!hasName && isSame(chosen, choices()))) {
    return;
  }
  picked(profile, chosen.profile);
  if (profiles[chosen.profile].sites[chosen.site]) {
    picked(site, chosen.site);
  }
  fillIn(chosen);
  if (hasName) {
    title.value = found.name;
    title.dispatchEvent(new Event("input"));
  }
  keepDraft();
  const note = made("p", "alert alert-info");
  const news = made("span", "", say.draft);
  news.setAttribute("role", "status");
  note.append(news, button("btn btn-sm btn-outline-secondary ms-2", say.dismiss, () => {
    forget();
    location.reload();
  }));
  options.prepend(note);
}
