// The job script that would be sent for what is chosen, for who has opened its details.
import { choices } from "./fields.js";

const details = document.getElementById("launch-script");
const problem = document.getElementById("script-problem");
const about = document.getElementById("script-about");
const text = document.getElementById("script-text");

let shown = "";
let asking = null;

function show(script, said) {
  text.textContent = script;
  text.hidden = about.hidden = !script;
  problem.textContent = said;
}

function answered(answer) {
  // What is refused is answered with a sentence, everything else by what stands between.
  const isJson = (answer.headers.get("content-type") || "").startsWith("application/json");
  return isJson ? answer.json() : Promise.reject(answer.status);
}

// Ask for it anew if something else would be sent than what is shown.
export function showScript() {
  const query = new URLSearchParams(choices()).toString();
  if (!details.open || query === shown) {
    return;
  }
  shown = query;
  if (asking) {
    asking.abort();
  }
  asking = new AbortController();
  const headers = { "X-XSRFToken": window.jhdata.xsrf_token };
  fetch(details.dataset.url + "&" + query, { cache: "no-store", headers: headers, signal: asking.signal })
    .then(answered)
    .then((told) => show(told.script || "", told.message || ""))
    .catch((error) => {
      if (error.name !== "AbortError") {
        shown = "";
        show("", details.dataset.away);
      }
    });
}

export function offerScript() {
  details.hidden = false;
  details.addEventListener("toggle", showScript);
}
