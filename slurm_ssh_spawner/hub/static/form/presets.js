// What somebody keeps under names of their own: saved from the form as it is now, removed, and listed above it.
import { choices } from "./fields.js";
import { form } from "./page.js";

const holder = document.getElementById("launch-presets");
const saving = document.getElementById("launch-save");
const said = document.getElementById("presets-said");

// The links keep what the form's address carries.
function lead() {
  holder.querySelectorAll("[data-settings]").forEach((link) => {
    const address = new URL(form.action);
    address.searchParams.set("settings", link.dataset.settings);
    link.href = address.href;
  });
}

function put(text) {
  const made = new DOMParser().parseFromString(text, "text/html").getElementById("presets-list");
  if (!made) {
    return Promise.reject(text);
  }
  holder.replaceChildren(made);
  lead();
  said.textContent = made.dataset.said;
  return null;
}

function send(address, values) {
  const body = new URLSearchParams(Object.assign({ part: "yes", server: holder.dataset.server || "" }, values));
  const headers = { "X-XSRFToken": window.jhdata.xsrf_token };
  said.textContent = "";
  return fetch(address, { method: "POST", cache: "no-store", headers: headers, body: body })
    .then((answer) => answer.text())
    .then(put)
    .catch(() => { said.textContent = holder.dataset.away; });
}

function save(event) {
  event.preventDefault();
  const name = event.target.elements.settings;
  send(holder.dataset.url, Object.assign(choices(), { settings: name.value }));
}

// The button that was pressed is gone then.
function remove(event) {
  event.preventDefault();
  const values = Object.fromEntries(new FormData(event.target));
  send(event.target.action, values).then(() => {
    (document.getElementById("presets-title") || saving.querySelector("summary")).focus();
  });
}

export function offerPresets() {
  if (!holder) {
    return;
  }
  saving.hidden = false;
  saving.addEventListener("submit", save);
  holder.addEventListener("submit", remove);
}
