// The cards of clusters: what is free there, and why one cannot be picked.
import { card, cardsFor, replaced } from "./cards.js";
import { placeOf, profiles } from "./offer.js";
import { away, button, made, picked, plain, profile, say, site, tell } from "./page.js";

const DOTS = { free: "dot-good", busy: "dot-wait", away: "dot-bad", closed: "dot-bad", unknown: "dot-off" };

export const siteCards = cardsFor(site);
const askedAgain = new Set();

function siteCard(each) {
  const place = placeOf(each.value);
  const label = card(site, each.value, place.title);
  label.querySelector("input").disabled = each.disabled;
  const age = made("span", "secondary launch-age");
  tell(age, away.hidden ? place.age : "");
  label.append(age);
  const news = made("span", "launch-news");
  tell(news, place.news);
  const state = made("span", "launch-state");
  state.append(made("span", "dot flex-shrink-0 " + DOTS[place.state]), news);
  state.hidden = !place.news;
  label.append(state);
  const holder = made("div", "launch-card");
  holder.append(label);
  if (place.may_ask && each.disabled) {
    holder.append(button("btn btn-sm btn-outline-secondary mt-1", say.ask_again, () => {
      askedAgain.add(each.value);
      takeSite(each.value);
    }));
  }
  return holder;
}

// The button that was pressed is gone then.
export function takeSite(key) {
  picked(site, key);
  siteCards.querySelector("input:checked").focus();
}

function updated(was, now, each) {
  const news = was.querySelector(".launch-news");
  // Only the cluster that is picked is read out when its news change.
  if (each.selected) {
    news.setAttribute("aria-live", "polite");
  } else {
    news.removeAttribute("aria-live");
  }
  was.querySelector("input").checked = each.selected;
  was.querySelector("input").disabled = each.disabled;
  [".launch-news", ".launch-age"].forEach((name) => {
    if (was.querySelector(name).textContent !== now.querySelector(name).textContent) {
      was.querySelector(name).replaceChildren(...now.querySelector(name).childNodes);
    }
  });
  const again = now.querySelector("button");
  const before = was.querySelector("button");
  if (again && !before) {
    was.append(again);
  } else if (before && !again) {
    before.remove();
  }
  was.querySelector(".dot").className = now.querySelector(".dot").className;
  news.parentElement.hidden = !news.textContent;
}

function label(each) {
  const place = placeOf(each.value);
  each.textContent = plain(place.label);
  each.disabled = place.state === "closed" && !askedAgain.has(each.value);
}

export function showSites() {
  const every = Array.from(site.options);
  const known = profiles[profile.value];
  every.forEach(label);
  if (known && (!known.sites[site.value] || !site.selectedOptions.length || site.selectedOptions[0].disabled)) {
    const keys = Object.keys(known.sites);
    site.value = keys.find((key) => known.sites[key].place.state !== "closed") || keys[0];
  }
  // What a card says is not said once more below.
  const problem = document.getElementById("site-problem");
  if (problem && every.some((each) => plain(placeOf(each.value).news) === problem.textContent)) {
    problem.remove();
  }
  const cards = Array.from(siteCards.children);
  if (cards.length) {
    every.forEach((each, index) => updated(cards[index], siteCard(each), each));
  } else {
    replaced(siteCards, every.map(siteCard));
  }
}
