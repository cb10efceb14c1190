// Say what became of the server at this address, and load the page again as soon as somebody answers there.
(function () {
  "use strict";
  var EVERY_MS = 5000;
  var place = document.getElementById("server-there");

  function look() {
    if (document.hidden) {
      return;
    }
    fetch(place.dataset.url, { credentials: "same-origin", cache: "no-store" })
      .then(function (answer) { return answer.ok ? answer.text().then(window.launchPut.bind(null, place)) : null; })
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
