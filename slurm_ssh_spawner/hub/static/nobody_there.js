// Say what became of the server at this address, and load the page again as soon as somebody answers there.
(function () {
  "use strict";
  var EVERY_MS = 5000;
  var place = document.getElementById("server-there");
  var last = "";

  function put(text) {
    if (text !== last) {
      last = text;
      place.replaceChildren.apply(place, Array.from(new DOMParser().parseFromString(text, "text/html").body.childNodes));
      window.launchMoments(place);
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
