// Show moments in the reader's zone and language, with the day if it is not today's; `launchMoments(element)` for
// what was put into the page later.
(function () {
  "use strict";
  function show(time) {
    var when = new Date(time.dateTime);
    if (isNaN(when) || time.dataset.local) {
      return;
    }
    var how = { hour: "2-digit", minute: "2-digit" };
    if (when.toDateString() !== new Date().toDateString()) {
      how.weekday = "short";
      how.day = "numeric";
      how.month = "short";
    }
    time.textContent = when.toLocaleString(undefined, how);
    time.title = when.toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" });
    time.dataset.local = "yes";
  }

  window.launchMoments = function (element) {
    element.querySelectorAll("time[datetime]").forEach(show);
  };
  window.launchMoments(document);
})();
