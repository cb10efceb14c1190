// `launchPut(element, html, changed)` puts what the hub has rendered anew into an element of the page that is open.
// Children are told apart by their ids: those that say the same stay, and `data-parts` marks those that are looked
// into.  Opened details stay open, and the keyboard stays at the control where it was, or goes to the heading of what
// it was in.  `changed`, if given, is called before that.
(function () {
  "use strict";
  // What the page's own scripts change about what came from the hub.
  var OWN = "time[datetime], [data-since], [data-own]";
  var CHANGED = ["aria-pressed", "class", "data-local", "disabled", "hidden", "title"];

  function plain(element) {
    var copy = element.cloneNode(true);
    [copy].concat(Array.from(copy.querySelectorAll("*"))).forEach(function (each) {
      if (each.matches("details")) {
        each.removeAttribute("open");
      }
      if (each.matches(OWN)) {
        CHANGED.forEach(function (name) { each.removeAttribute(name); });
        each.textContent = "";
      }
    });
    return copy.outerHTML;
  }

  function sameAttributes(old, made) {
    Array.from(old.attributes).forEach(function (each) {
      if (!made.hasAttribute(each.name)) {
        old.removeAttribute(each.name);
      }
    });
    Array.from(made.attributes).forEach(function (each) { old.setAttribute(each.name, each.value); });
  }

  // What stands in the page for a child that came: it, or what has stood there.
  function kept(old, child) {
    var before = child.id && Array.from(old.children).find(function (each) { return each.id === child.id; });
    if (before && before.hasAttribute("data-parts") && child.hasAttribute("data-parts")) {
      sameAttributes(before, child);
      merge(before, child);
      return before;
    }
    return before && plain(before) === plain(child) ? before : child;
  }

  function merge(old, made) {
    var wanted = Array.from(made.children, kept.bind(null, old));
    Array.from(old.childNodes).forEach(function (each) {
      if (!wanted.includes(each)) {
        each.remove();
      }
    });
    wanted.forEach(function (each, number) {
      if (old.children[number] !== each) {
        old.insertBefore(each, old.children[number] || null);
      }
    });
  }

  // The control that has the keyboard: by its id, by what it does, or as what opens or scrolls in what has an id.
  function place(element) {
    var active = document.activeElement;
    if (active === element || !element.contains(active)) {
      return null;
    }
    var tag = active.matches("summary, pre") ? active.localName : "";
    var action = active.dataset.action ? '[data-action="' + CSS.escape(active.dataset.action) + '"]' : tag;
    var around = active.closest("section[id], [data-parts][id]");
    var holder = active.closest("[id]");
    return { active: active, id: holder && holder.id, own: active.id, action: action, around: around && around.id };
  }

  function back(where) {
    if (!where || document.activeElement === where.active) {
      return;
    }
    var holder = where.id && document.getElementById(where.id);
    var control = where.own ? holder : holder && where.action && holder.querySelector(where.action);
    if (!control || control.hidden) {
      var around = where.around && document.getElementById(where.around);
      control = (around && around.querySelector("h1, h2")) || document.querySelector("h1, h2");
      control.tabIndex = -1;
    }
    control.focus({ preventScroll: true });
  }

  window.launchPut = function (element, text, changed) {
    var where = place(element);
    var opened = Array.from(element.querySelectorAll("details[open][id]"), function (each) { return each.id; });
    merge(element, new DOMParser().parseFromString(text, "text/html").body);
    opened.forEach(function (id) {
      var details = document.getElementById(id);
      if (details) {
        details.open = true;
      }
    });
    window.launchMoments(element);
    if (changed) {
      changed();
    }
    back(where);
  };
})();
