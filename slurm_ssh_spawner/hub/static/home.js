// Keep Home as things are while the page is seen: the hub tells when they have changed, and is asked for them then.
(function () {
  "use strict";
  var AGAIN_MS = 15000;
  var FIRST_MS = 3000;
  var parts = document.getElementById("home-parts");
  var news = document.getElementById("home-news");
  var away = document.getElementById("home-away");
  var before = states();
  var timer = 0;
  var changes = null;

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
    return fetch(parts.dataset.url, { credentials: "same-origin", cache: "no-store" })
      .then(function (answer) {
        away.hidden = answer.ok;
        return answer.ok ? answer.text().then(put) : null;
      })
      .catch(function () { away.hidden = false; });
  }

  function listen() {
    window.clearTimeout(timer);
    if (changes) {
      changes.close();
    }
    if (document.hidden) {
      return;
    }
    changes = new EventSource(parts.dataset.changes);
    // What changed before the hub listened is told by nobody.
    changes.addEventListener("open", look);
    changes.addEventListener("changed", look);
    changes.addEventListener("error", function () {
      look();
      if (changes.readyState === EventSource.CLOSED) {
        window.clearTimeout(timer);
        timer = window.setTimeout(listen, AGAIN_MS);
      }
    });
  }

  document.addEventListener("visibilitychange", listen);
  window.addEventListener("pageshow", function (event) {
    // A page that the browser had kept shows what was.
    if (event.persisted) {
      listen();
    }
  });
  timer = window.setTimeout(listen, FIRST_MS);
})();
