// Lead back here after the login, and let JupyterHub count redirects anew when the page is loaded again.
(function () {
  "use strict";
  var address = new URL(window.location.href);
  address.searchParams.delete("redirects");
  window.history.replaceState({}, "", address);
  var login = document.getElementById("log-in-and-back");
  if (login) {
    // Not what the form was sent with: it was of somebody who was logged in before.
    address.searchParams.delete("_xsrf");
    login.search = new URLSearchParams({ next: address.pathname + address.search });
  }
})();
