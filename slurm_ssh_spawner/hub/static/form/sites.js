// The cards of clusters: what is free there, and why one cannot be picked.
import { card, cardsFor, replaced } from "./cards.js";
import { askAgain, placeOf, profiles } from "./offer.js";
import { away, button, made, options, picked, plain, profile, say, site, tell } from "./page.js";

const DOTS = {
  free: "dot-good", busy: "dot-wait", away: "dot-bad", refused: "dot-bad", closed: "dot-bad", unknown: "dot-off",
};
// What the form does not pick by itself while there is another one.
const LAST = { refused: 1, closed: 2 };

export const siteCards = cardsFor(site);

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
  if (place.state === "refused") {
    holder.append(again(each.value, place.title));
  }
  return holder;
}

function again(key, title) {
  const ask = button("btn btn-sm btn-link launch-again", say.ask_again, () => {
    ask.disabled = true;
    ask.textContent = say.asks_again;
    // Whatever came of it, the form looks, and the card then says it.
    const looked = () => {
      ask.disabled = false;
      options.dispatchEvent(new Event("asked-again"));
    };
    askAgain(key).then(looked, looked);
  });
  ask.setAttribute("aria-label", say.ask_again + ": " + title);
  return ask;
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
  was.querySelector(".dot").className = now.querySelector(".dot").className;
  news.parentElement.hidden = !news.textContent;
  updatedAgain(was, was.querySelector(".launch-again"), now.querySelector(".launch-again"));
}

function updatedAgain(holder, before, after) {
  if (before && (before.disabled || (after && before.textContent === after.textContent))) {
    return;
  }
  const isAt = before && before === document.activeElement;
  if (before) {
    before.remove();
  }
  if (after) {
    holder.append(after);
  }
  if (isAt) {
    (after || holder.querySelector("input")).focus();
  }
}

function label(each) {
  const place = placeOf(each.value);
  each.textContent = plain(place.label);
  each.disabled = place.state === "closed";
}

export function showSites() {
  const every = Array.from(site.options);
  const known = profiles[profile.value];
  every.forEach(label);
  if (known && (!known.sites[site.value] || !site.selectedOptions.length || site.selectedOptions[0].disabled)) {
    const rank = (key) => LAST[known.sites[key].place.state] || 0;
    site.value = Object.keys(known.sites).sort((one, other) => rank(one) - rank(other))[0];
  }
  // What a card says is not said once more below.
  const problem = document.getElementById("site-problem");
  if (problem && every.some((each) => plain(placeOf(each.value).news).startsWith(problem.textContent))) {
    problem.remove();
  }
  const cards = Array.from(siteCards.children);
  if (cards.length) {
    every.forEach((each, index) => updated(cards[index], siteCard(each), each));
  } else {
    replaced(siteCards, every.map(siteCard));
  }
}
