// What the hub says: profiles with their fields and places at each site, and what it answers about choices.
import { brought, profile } from "./page.js";

export const profiles = {};
export const elsewhere = {};
// What was started last, each profile once.
export let recent = [];

export function take(offer) {
  Object.assign(elsewhere, offer.elsewhere);
  recent = offer.recent || recent;
  Object.keys(offer.profiles).forEach((key) => {
    const told = offer.profiles[key];
    const sites = {};
    Object.keys(told.sites).forEach((name) => {
      const [place, fields] = told.sites[name];
      sites[name] = { place: offer.places[place], fields: fields.map((index) => offer.fields[index]) };
    });
    profiles[key] = Object.assign({}, told, { sites: sites });
  });
}

export function ask(choices, signal) {
  const query = new URLSearchParams(choices).toString();
  const headers = { "X-XSRFToken": window.jhdata.xsrf_token };
  return fetch(brought.dataset.url + (query && "&" + query), { cache: "no-store", headers: headers, signal: signal })
    .then((answer) => (answer.ok ? answer.json() : Promise.reject(answer.status)));
}

// Whether a cluster that did not let somebody in does now; the offer says it then.
export function askAgain(key) {
  const address = brought.dataset.url.split("?")[0] + "/ask-again?site=" + encodeURIComponent(key);
  const headers = { "Content-Type": "application/json", "X-XSRFToken": window.jhdata.xsrf_token };
  return fetch(address, { method: "POST", headers: headers });
}

export function placeOf(key) {
  const known = profiles[profile.value];
  return known && known.sites[key] ? known.sites[key].place : elsewhere[key];
}
