// Say what became of the server at this address, and load the page again as soon as somebody answers there.
(function () {
  "use strict";
  var EVERY_MS = 5000;
  var place = document.getElementById("server-there");
  var news = document.getElementById("there-news");
  var told = "";

  // What a card says of its server is told once.
  function put(text) {
    window.launchPut(place, text);
    var heading = place.querySelector("section[data-state] h2");
    var state = heading && heading.closest("section").dataset.state;
    if (state && state !== told) {
      told = state;
      news.textContent = heading.textContent.replace(/\s+/g, " ").trim();
    }
  }

  function look() {
    if (document.hidden) {
      return;
    }
    fetch(place.dataset.url, { credentials: "same-origin", cache: "no-store" })
      .then(function (answer) { return answer.ok ? answer.text().then(put) : null; })
      .then(function () { return fetch(window.location.href, { method: "HEAD", cache: "no-store" }); })
      .then(function (answer) {
        if (answer.status !== 503) {
          window.location.reload();
        }
      })
      .catch(function () { /* The hub is away for a moment. */ });
  }

  window.setInterval(look, EVERY_MS);
  look();
})();
