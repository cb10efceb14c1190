// The cards of profiles, and how one is found among many.
import { card, cardsFor, radios, replaced } from "./cards.js";
import { elsewhere, profiles, recent } from "./offer.js";
import { button, filled, made, moment, option, outside, profile, say, tell } from "./page.js";

const MANY = 8;
const SHOWN_FIRST = 6;
const MOST_FOUND = 24;

export const profileCards = cardsFor(profile);
const every = Array.from(profile.options);
const description = document.getElementById("profile-hint");
const finding = { words: "", category: null, isWhole: false };
const count = made("p", "secondary");
const more = button("btn btn-link p-0", "", showAllProfiles);

export function beginProfiles() {
  if (every.length > MANY) {
    finder();
  }
  showProfiles();
}

function finder() {
  const row = made("div", "launch-find");
  const search = outside(made("input", "form-control"));
  search.type = "search";
  search.id = "profile-search";
  search.placeholder = filled(say.find, { count: every.length });
  search.setAttribute("aria-label", search.placeholder);
  search.addEventListener("input", () => {
    finding.words = search.value;
    showProfiles();
  });
  row.append(search);
  const categories = Array.from(profile.querySelectorAll("optgroup"));
  if (categories.length) {
    row.append(categoryList(categories));
  }
  count.setAttribute("role", "status");
  profileCards.before(row, count);
  profileCards.after(more);
}

function categoryList(categories) {
  const list = outside(made("select", "form-select"));
  list.setAttribute("aria-label", say.category);
  list.append(option("", say.all_categories));
  categories.forEach((group, index) => list.append(option(String(index + 1), group.label)));
  list.addEventListener("change", () => {
    finding.category = list.value ? categories[Number(list.value) - 1] : null;
    showProfiles();
  });
  return list;
}

function showAllProfiles() {
  const before = new Set(radios(profileCards).map((each) => each.value));
  finding.isWhole = true;
  showProfiles();
  radios(profileCards).find((each) => !before.has(each.value)).focus();
}

function matches(each) {
  const told = profiles[each.value];
  const text = (each.textContent + " " + (told ? told.search : "")).toLowerCase();
  const words = finding.words.toLowerCase().split(/\s+/);
  return words.every((word) => text.includes(word)) && (!finding.category || each.parentElement === finding.category);
}

function wanted() {
  if (every.length <= MANY) {
    return every;
  }
  const last = recent.map((each) => every.find((one) => one.value === each.profile)).filter(Boolean);
  const sorted = Array.from(new Set(last.concat(every))).filter(matches);
  const isFinding = finding.words.trim() || finding.category;
  const most = finding.isWhole ? sorted.length : isFinding ? MOST_FOUND : SHOWN_FIRST;
  const shown = sorted.slice(0, most);
  const chosen = profile.selectedOptions[0];
  if (!isFinding && chosen && !shown.includes(chosen)) {
    shown[shown.length - 1] = chosen;
  }
  count.textContent = isFinding ? filled(say.found, { count: sorted.length, all: every.length })
    : last.length ? say.recent : "";
  more.textContent = filled(say.show_all, { count: sorted.length });
  more.hidden = shown.length >= sorted.length;
  return shown;
}

function profileCard(each) {
  const label = card(profile, each.value, each.textContent);
  const told = profiles[each.value];
  const last = recent.find((one) => one.profile === each.value);
  if (last) {
    const where = (elsewhere[last.site] || { title: last.site }).title;
    const ago = made("span", "secondary ms-2");
    tell(ago, filled(say.last_time, { when: moment(last.begun), site: where }));
    label.append(ago);
  }
  if (told && told.short) {
    label.append(made("span", "secondary d-block", told.short));
  }
  if (told && told.gets) {
    label.append(made("span", "secondary d-block", told.gets));
  }
  if (told && told.full) {
    label.append(made("span", "launch-why d-block", told.full));
  }
  return label;
}

export function showProfiles() {
  replaced(profileCards, wanted().map(profileCard));
}

export function checkProfile() {
  radios(profileCards).forEach((each) => {
    each.checked = each.value === profile.value;
  });
}

// Until the rest has come, nothing is known of another profile.
export function describe() {
  const known = profiles[profile.value];
  description.dataset.of = known ? profile.value : "";
  description.innerHTML = known ? known.description : "";
  // What the card says already is not said twice.
  const isMore = description.querySelector("a, li, table, pre") || (known && known.short.endsWith("…"));
  description.hidden = !isMore || !description.textContent.trim();
}

export function isDescribed() {
  return description.dataset.of === profile.value;
}
