// Keep the page of a server that is being stopped: once it has ended, the hub shows what became of it at this address.
(function () {
  "use strict";
  var EVERY_MS = 3000;
  var page = document.getElementById("stopping-server");

  function look() {
    fetch(page.dataset.partUrl, { credentials: "same-origin", cache: "no-store" })
      .then(function (answer) {
        // Whoever was logged out meanwhile is led to the login.
        if (answer.headers.get("X-Start") !== "stopping" && (answer.ok || answer.status === 403)) {
          window.location.reload();
        } else {
          window.setTimeout(look, EVERY_MS);
        }
      })
      .catch(function () { window.setTimeout(look, EVERY_MS); });
  }

  window.setTimeout(look, EVERY_MS);
})();
