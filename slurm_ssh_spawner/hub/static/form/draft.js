// What was filled in outlives the page, in the tab where it was, for an hour.
import { choices, fillIn } from "./fields.js";
import { profiles, recent } from "./offer.js";
import { button, made, options, picked, profile, say, site } from "./page.js";

const DRAFT_MS = 3600000;
// Of one person and server: somebody else may log in in the same tab.
const draftKey = "launch-draft:" + window.jhdata.user + ":" + location.pathname;

export function keepDraft() {
  try {
    sessionStorage.setItem(draftKey, JSON.stringify({ at: Date.now(), choices: choices() }));
  } catch (error) {
    // A browser that keeps nothing works as well.
  }
}

function draft() {
  try {
    const found = JSON.parse(sessionStorage.getItem(draftKey));
    const isSent = recent.some((each) => Date.parse(each.begun) > found.at - 1000);
    return found && !isSent && Date.now() - found.at < DRAFT_MS ? found.choices : null;
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
  if (!found || !profiles[found.profile] || isSame(found, choices())) {
    return;
  }
  picked(profile, found.profile);
  if (profiles[found.profile].sites[found.site]) {
    picked(site, found.site);
  }
  fillIn(found);
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
