// Links that copy themselves; where the browser lets no page copy, they lead to what they would.
(function () {
  "use strict";
  document.addEventListener("click", function (event) {
    var link = event.target.closest("a[data-copied]");
    if (!link || !navigator.clipboard) {
      return;
    }
    event.preventDefault();
    navigator.clipboard.writeText(link.href).then(
      function () { link.nextElementSibling.textContent = link.dataset.copied; },
      function () { location.assign(link.href); }
    );
  });
})();
