// Keep Home as things are: ask for what changes every 15 seconds while the page is seen.
(function () {
  "use strict";
  var EVERY_MS = 15000;
  var FIRST_MS = 3000;
  var parts = document.getElementById("home-parts");
  var news = document.getElementById("home-news");
  var away = document.getElementById("home-away");
  var before = states();
  var timer = 0;

  // What a card says of its server, by the card.
  function states() {
    var found = {};
    parts.querySelectorAll("section[data-state]").forEach(function (card) {
      found[card.id] = [card.dataset.state, card.querySelector("h2").textContent.replace(/\s+/g, " ").trim()];
    });
    return found;
  }

  function tell() {
    var now = states();
    var changed = Object.keys(now).filter(function (id) {
      return !before[id] || before[id][0] !== now[id][0];
    });
    before = now;
    if (changed.length) {
      news.textContent = changed.map(function (id) { return now[id][1]; }).join(". ");
    }
  }

  function put(text) {
    window.launchPut(parts, text);
    tell();
  }

  function look() {
    window.clearTimeout(timer);
    if (document.hidden) {
      return;
    }
    fetch(parts.dataset.url, { credentials: "same-origin", cache: "no-store" })
      .then(function (answer) {
        away.hidden = answer.ok;
        return answer.ok ? answer.text().then(put) : null;
      })
      .catch(function () { away.hidden = false; })
      .finally(function () { timer = window.setTimeout(look, EVERY_MS); });
  }

  document.addEventListener("visibilitychange", look);
  window.addEventListener("pageshow", function (event) {
    // A page that the browser had kept shows what was.
    if (event.persisted) {
      look();
    }
  });
  timer = window.setTimeout(look, FIRST_MS);
})();
