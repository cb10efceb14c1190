// Keep the parts of a page that have `data-kept` as things are while the page is seen: it is asked for again at
// `data-kept-at`.  What a part has as `data-news` is told once.
(function () {
  "use strict";
  var EVERY_MS = 30000;
  var page = document.querySelector("[data-kept-at]");
  var away = document.getElementById("kept-away");
  var news = document.getElementById("kept-news");
  var looked = Date.now();
  var timer = 0;

  function keep(part, made) {
    var now = made.getElementById(part.id);
    if (!now) {
      return;
    }
    var said = now.dataset.news || "";
    if (said && said !== part.dataset.news) {
      news.textContent = said;
    }
    part.dataset.news = said;
    window.launchPut(part, now.innerHTML);
  }

  function put(text) {
    var made = new DOMParser().parseFromString(text, "text/html");
    page.querySelectorAll("[data-kept]").forEach(function (part) { keep(part, made); });
  }

  function seen(answer) {
    if (answer.status >= 400 && answer.status < 500) {
      // There is nothing more to see here, and the hub has a page that says why.
      window.location.assign(page.dataset.keptAt);
      return null;
    }
    // Whoever was logged out is led to the login.
    away.hidden = answer.ok && !answer.redirected;
    return away.hidden ? answer.text().then(put) : null;
  }

  function look() {
    looked = Date.now();
    fetch(page.dataset.keptAt, { credentials: "same-origin", cache: "no-store", headers: { "X-Kept": "yes" } })
      .then(seen)
      .catch(function () { away.hidden = false; })
      .then(again);
  }

  function again() {
    window.clearTimeout(timer);
    if (!document.hidden) {
      timer = window.setTimeout(look, Math.max(0, looked + EVERY_MS - Date.now()));
    }
  }

  document.addEventListener("visibilitychange", again);
  window.addEventListener("pageshow", function (event) {
    // A page that the browser had kept shows what was.
    if (event.persisted) {
      look();
    }
  });
  again();
})();
