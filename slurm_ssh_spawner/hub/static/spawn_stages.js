// Show the stages that the job reports, with the time each takes, and the end of its output.
(function () {
  "use strict";
  var list = document.getElementById("launch-stages");
  var output = document.getElementById("launch-output");
  var events = new EventSource(document.getElementById("starting-server").dataset.progressUrl);
  var stages = [];
  // The hub's clock may not be the browser's.
  var behind = 0;

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

  var clock = setInterval(show, 1000);
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
      events.close();
      clearInterval(clock);
      // The message of a failure has the end of the output already.
      output.hidden = true;
    }
    show();
  };
})();
