// Show the stages that the job reports, with the time each takes, and the end of its output.  A hub that is started
// again while the page is open goes on with the launch, and so does the page.
(function () {
  "use strict";
  var list = document.getElementById("launch-stages");
  var output = document.getElementById("launch-output");
  var server = document.getElementById("starting-server").dataset;
  var away = document.getElementById("hub-away");
  var events = new EventSource(server.progressUrl);
  var stages = [];
  // The hub's clock may not be the browser's.
  var behind = 0;
  // A proxy does not say that the hub behind it has died, so the hub is asked every ten seconds.
  var timer = null;
  var isOver = false;
  // When the server's start began.
  var started = null;
  // How often a hub that answers may say that there is no such server before that is believed.
  var looksLeft = 60;

  function elapsed(stage) {
    var seconds = stage.seconds === null ? Date.now() / 1000 - behind - stage.began : stage.seconds;
    seconds = Math.max(0, Math.floor(seconds));
    return Math.floor(seconds / 60) + ":" + String(seconds % 60).padStart(2, "0");
  }

  function cell(row, name, text) {
    row.appendChild(document.createElement("span")).className = "launch-stage-" + name;
    // Whatever a job says is text.
    row.lastChild.textContent = text;
    row.append(" ");
  }

  function item(stage) {
    var row = document.createElement("li");
    row.className = stage.failed ? "text-danger" : stage.seconds === null ? "fw-bold" : "text-muted";
    row.dataset.state = stage.failed ? "failed" : stage.seconds === null ? "running" : "done";
    cell(row, "name", stage.name);
    cell(row, "text", stage.text);
    cell(row, "elapsed", elapsed(stage));
    if (stage.failed) {
      cell(row, "failed", "failed");
    }
    return row;
  }

  function show() {
    list.replaceChildren.apply(list, stages.map(item));
  }

  function fail() {
    var last = stages[stages.length - 1];
    if (last && last.seconds === null) {
      last.seconds = Date.now() / 1000 - behind - last.began;
      last.failed = true;
    }
  }

  function look() {
    clearTimeout(timer);
    var url = server.baseUrl + "api/users/" + encodeURIComponent(server.user);
    fetch(url, { cache: "no-store", headers: { "X-XSRFToken": window.jhdata.xsrf_token } })
      .then(function (answer) {
        // Another refusal than that of a proxy is the hub's own.
        return answer.ok ? answer.json() : answer.status < 500 ? undefined : null;
      })
      .then(seen, seen.bind(null, null));
  }

  function seen(person) {
    var mine = person && person.servers && person.servers[server.server];
    if (isOver) {
      return;
    }
    if (person === undefined) {
      timer = setTimeout(look, 10000);
      return;
    }
    if (mine && mine.pending === "stop") {
      // The start has failed before its events were asked for; the next page says why.
      window.location.reload();
      return;
    }
    if (mine && (mine.ready || mine.pending === "spawn")) {
      // Another beginning: this hub is not the one whose events are shown.
      if (!away.hidden || (started && mine.started !== started)) {
        window.location.reload();
        return;
      }
      started = mine.started;
    } else {
      looksLeft -= person ? 1 : 0;
      if (looksLeft <= 0) {
        window.location.reload();
        return;
      }
      lost();
    }
    timer = setTimeout(look, away.hidden ? 10000 : 2000);
  }

  function lost() {
    events.close();
    away.hidden = false;
  }

  var clock = setInterval(show, 1000);
  events.onerror = function () {
    lost();
    look();
  };
  events.onmessage = function (message) {
    var event = JSON.parse(message.data);
    if (event.stages) {
      behind = Date.now() / 1000 - event.now;
      stages = event.stages;
      output.textContent = event.output;
      output.hidden = !event.output;
    }
    if (event.failed) {
      fail();
    }
    if (event.failed || event.ready) {
      isOver = true;
      events.close();
      clearInterval(clock);
      // The message of a failure has the end of the output already.
      output.hidden = true;
    }
    show();
  };
  look();
})();
