// A link that fills in the form as it is now.
import { choices } from "./fields.js";
import { form, made, outside, say } from "./page.js";

const copy = document.getElementById("copy-link");
const said = document.getElementById("copy-said");

function address() {
  const query = new URLSearchParams(choices());
  const next = new URLSearchParams(location.search).get("next");
  if (next) {
    query.set("next", next);
  }
  // Whoever opens it is asked for a server of theirs.
  return location.origin + form.dataset.link + "?" + query;
}

function show(link) {
  const shown = outside(made("input", "form-control form-control-sm"));
  shown.readOnly = true;
  shown.value = link;
  shown.setAttribute("aria-label", say.not_copied);
  said.replaceChildren(say.not_copied + " ", shown);
  shown.select();
}

function copyLink() {
  const link = address();
  if (navigator.clipboard) {
    navigator.clipboard.writeText(link).then(() => { said.textContent = say.copied; }, () => show(link));
  } else {
    show(link);
  }
}

export function offerLink() {
  copy.hidden = false;
  copy.addEventListener("click", copyLink);
}
