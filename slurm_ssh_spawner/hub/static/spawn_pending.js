// Keep the page of a start as things are: its events say when something has changed.  A hub that is started again
// while the page is open goes on with the start, and so does the page.
(function () {
  "use strict";
  var EVERY_MS = 15000;
  var AWAY_MS = 5000;
  var SOON_MS = 150;
  var page = document.getElementById("starting-server");
  var part = document.getElementById("start-part");
  var news = document.getElementById("start-news");
  var away = document.getElementById("hub-away");
  var loggedOut = document.getElementById("logged-out");
  var log = document.getElementById("launch-log");
  var output = document.getElementById("launch-output");
  var events = new EventSource(page.dataset.progressUrl);
  var said = now() ? now().dataset.news : "";
  // Of the start that is shown; another one is that of a hub that has begun anew.
  var started = now() ? now().dataset.started : "";
  // A proxy does not say that the hub behind it has died, so the hub is asked now and then.
  var timer = 0;
  var soon = 0;
  var isOver = false;
  // How often a hub that answers may say that there is no such start before that is believed.
  var looksLeft = 60;
  // The hub's clock may not be the browser's.
  var behind = 0;
  var isOffered = canNotify();

  function now() {
    return document.getElementById("start-now");
  }

  function toldTime(seconds) {
    behind = seconds ? Date.now() / 1000 - Number(seconds) : 0;
  }

  function tick() {
    part.querySelectorAll("[data-since]").forEach(function (clock) {
      var seconds = Math.max(0, Math.floor(Date.now() / 1000 - behind - Number(clock.dataset.since)));
      var hours = Math.floor(seconds / 3600);
      var minutes = Math.floor(seconds / 60) % 60;
      var head = hours ? hours + ":" + String(minutes).padStart(2, "0") : String(minutes);
      clock.textContent = head + ":" + String(seconds % 60).padStart(2, "0");
    });
  }

  // A new step is told once, and never the clock.
  function tell() {
    document.title = now().dataset.title;
    if (now().dataset.news !== said) {
      said = now().dataset.news;
      news.textContent = said;
    }
  }

  function put(text) {
    window.launchPut(part, text, function () {
      tick();
      showWish();
    });
    tell();
  }

  function again(milliseconds) {
    clearTimeout(timer);
    if (!isOver) {
      timer = setTimeout(look, milliseconds);
    }
  }

  function reload() {
    isOver = true;
    events.close();
    window.location.reload();
  }

  function lost() {
    events.close();
    away.hidden = !loggedOut.hidden;
    again(AWAY_MS);
  }

  function seen(phase, text) {
    if (isOver) {
      return;
    }
    if (phase === "off" && (looksLeft -= 1) > 0) {
      lost();
    } else if (phase !== "starting") {
      // The server is up, or its start has failed, or nothing is known of it: the hub has a page for each.
      reload();
    } else if (!text) {
      again(EVERY_MS);
    } else {
      put(text);
      // Another beginning: this hub is not the one whose events are shown.
      if (!away.hidden || !loggedOut.hidden || (started && now().dataset.started !== started)) {
        reload();
        return;
      }
      started = now().dataset.started;
      again(EVERY_MS);
    }
  }

  function look() {
    clearTimeout(timer);
    fetch(page.dataset.partUrl, { credentials: "same-origin", cache: "no-store" })
      .then(function (answer) {
        var phase = answer.headers.get("X-Start");
        if (phase) {
          toldTime(answer.headers.get("X-Now"));
          return answer.text().then(seen.bind(null, phase));
        }
        loggedOut.hidden = answer.status !== 403;
        away.hidden = away.hidden || !loggedOut.hidden;
        // Another refusal than that of a proxy is the hub's own: somebody has logged out, or may not see this start.
        return answer.status < 500 ? again(EVERY_MS) : lost();
      })
      .catch(lost);
  }

  // -- a notification, if the person wants one ------------------------------------------------------------
  // Browsers of phones have the name and refuse to make one here, at whatever permission.  Without permission trying
  // shows nothing, and with it has been tried before.
  function canNotify() {
    if (!window.Notification || !window.isSecureContext) {
      return false;
    }
    return Notification.permission === "granted" || notified("");
  }

  function isWanted() {
    return Notification.permission === "granted" && sessionStorage.getItem("launch-notify") === "yes";
  }

  function showWish() {
    var button = document.getElementById("start-notify");
    if (button && isOffered) {
      button.hidden = false;
      button.setAttribute("aria-pressed", String(isWanted()));
      button.classList.toggle("active", isWanted());
      button.disabled = Notification.permission === "denied";
      button.textContent = button.dataset[button.disabled ? "blocked" : "label"];
    }
  }

  function notified(title) {
    try {
      return Boolean(new Notification(title));
    } catch (error) {
      return false;
    }
  }

  part.addEventListener("click", function (event) {
    if (event.target.id === "start-notify") {
      sessionStorage.setItem("launch-notify", isWanted() ? "no" : "yes");
      Notification.requestPermission().then(showWish);
    }
  });

  // -- what happens ---------------------------------------------------------------------------------------
  events.onerror = function () {
    lost();
    look();
  };
  events.onmessage = function (message) {
    var event = JSON.parse(message.data);
    if (event.output !== undefined) {
      // Whatever a job says is text.
      output.textContent = event.output;
      log.hidden = !event.output;
    }
    if (event.ready || event.failed) {
      if (isOffered && document.hidden && isWanted()) {
        notified(page.dataset[event.ready ? "readyTitle" : "failedTitle"]);
      }
      news.textContent = event.ready ? page.dataset.ready : "";
      reload();
      return;
    }
    clearTimeout(soon);
    soon = setTimeout(look, SOON_MS);
  };
  part.addEventListener("submit", function () {
    // What comes from here on is of a start that nobody waits for.
    isOver = true;
    events.close();
    clearTimeout(timer);
    clearTimeout(soon);
    news.textContent = page.dataset.cancelled;
  });
  window.addEventListener("pageshow", function (event) {
    // A page that the browser had kept shows what was.
    if (event.persisted) {
      reload();
    }
  });
  toldTime(page.dataset.now);
  showWish();
  setInterval(tick, 1000);
  again(EVERY_MS);
})();
