// When Slurm would start what is chosen in the options form: asked when a choice has rested, said on the cards of the
// clusters that tell, and above Start of the one that is picked.  The form waits for none of it.
(function () {
  "use strict";
  const REST_MS = 1000;
  const AGAIN_MS = 2500;
  const MOST_TRIES = 12;
  const REFRESH_MS = 60000;

  const options = document.getElementById("launch-options");
  const brought = document.getElementById("launch-offer");
  const summary = document.getElementById("launch-summary");
  const site = document.getElementById("site");
  if (!options || !brought || !summary || !site) {
    return;
  }
  const form = options.closest("form");
  const whose = new URL(brought.dataset.url, location.href);
  // It has to be there before anything is said in it.
  const line = document.createElement("p");
  line.id = "launch-forecast";
  line.setAttribute("role", "status");
  summary.after(line);

  // To look at a form is no reason to send a ticket anywhere.
  let isChosen = false;
  let told = {};
  let about = "";
  let asking = null;
  let waiting = 0;

  // As the form would be sent, without what belongs to no choice.
  function choices() {
    const query = new URLSearchParams(whose.search);
    if (!isChosen) {
      query.set("open", "0");
    }
    new FormData(form).forEach((value, name) => {
      if (typeof value === "string" && value.trim() && options.querySelector("[name='" + CSS.escape(name) + "']")) {
        query.set(name, value);
      }
    });
    return query.toString();
  }

  function fill(element, key) {
    const each = told[key];
    const meant = each ? each.said + (each.begins || "") : "";
    if (element.dataset.meant === meant) {
      return;
    }
    element.dataset.meant = meant;
    element.classList.toggle("launch-why", Boolean(each && each.refused));
    const [before, after] = each && each.begins ? each.said.split("{begins}") : [each ? each.said : ""];
    element.replaceChildren(before);
    if (after !== undefined) {
      const time = document.createElement("time");
      time.dateTime = each.begins;
      element.append(time, after);
      window.launchMoments(element);
    }
  }

  function show() {
    fill(line, site.value);
    options.querySelectorAll("[name=pick-site]").forEach((radio) => {
      const card = radio.closest(".page-card");
      let said = card.querySelector(".launch-forecast");
      if (!said && told[radio.value]) {
        said = document.createElement("span");
        said.className = "launch-forecast secondary";
        card.append(said);
      }
      if (said) {
        fill(said, radio.value);
      }
    });
  }

  function later(milliseconds, tries) {
    clearTimeout(waiting);
    waiting = setTimeout(() => ask(tries), milliseconds);
  }

  function ask(tries) {
    if (document.hidden) {
      return;
    }
    const query = choices();
    asking = new AbortController();
    fetch(new URL("forecast?" + query, whose), {
      cache: "no-store",
      headers: { "X-XSRFToken": window.jhdata.xsrf_token },
      signal: asking.signal,
    })
      .then((answer) => (answer.ok ? answer.json() : { sites: {}, again: false }))
      .then((answer) => {
        if (query !== about) {
          return;
        }
        told = answer.sites;
        show();
        if (answer.again && tries < MOST_TRIES) {
          later(AGAIN_MS, tries + 1);
        } else {
          later(REFRESH_MS, 0);
        }
      })
      .catch((problem) => {
        // Who is without a hub is told so by the form.
        if (problem.name !== "AbortError") {
          later(REFRESH_MS, 0);
        }
      });
  }

  // What was said of another choice is not said of this one.
  function changed() {
    const query = choices();
    if (query === about) {
      show();
      return;
    }
    about = query;
    told = {};
    if (asking) {
      asking.abort();
    }
    show();
    later(REST_MS, 0);
  }

  ["input", "change", "click"].forEach((name) => form.addEventListener(name, (event) => {
    isChosen = isChosen || event.isTrusted;
    changed();
  }));
  // The form may also fill in a draft, or take another cluster; it says then what would be started.
  new MutationObserver(changed).observe(summary, { childList: true, characterData: true, subtree: true });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) {
      later(REST_MS, 0);
    }
  });
  changed();
})();
