// Buttons that copy a text of the page.
(function () {
  "use strict";
  if (!navigator.clipboard) {
    return;
  }
  document.querySelectorAll("[data-copies]").forEach(function (button) {
    button.hidden = false;
    button.addEventListener("click", function () {
      var text = document.getElementById(button.dataset.copies).textContent;
      navigator.clipboard.writeText(text).then(function () {
        button.textContent = button.dataset.copied;
      });
    });
  });
})();
