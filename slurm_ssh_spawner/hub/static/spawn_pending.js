// Make the stop button stop the server that this page is about.
require(["jquery", "jhapi"], function ($, JHAPI) {
  "use strict";
  var server = document.getElementById("starting-server").dataset;
  var button = $("#stop-server-btn");
  var status = $("#stop-server-status");

  function show(kind, text) {
    status.removeClass("alert-info alert-success alert-danger").addClass("alert alert-" + kind).text(text).show();
  }

  function stopped() {
    show("success", "The server is stopped.");
    window.location.assign(server.baseUrl + "home");
  }

  function notStopped(request) {
    var answer = request.responseJSON;
    show("danger", answer && answer.message ? answer.message : "The server could not be stopped. Try again.");
    button.prop("disabled", false);
  }

  button.off("click").on("click", function () {
    var api = new JHAPI(server.baseUrl);
    var options = { success: stopped, error: notStopped };
    button.prop("disabled", true);
    show("info", "The server is being stopped.");
    if (server.server) {
      api.stop_named_server(server.user, server.server, options);
    } else {
      api.stop_server(server.user, options);
    }
  });
});
