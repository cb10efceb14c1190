// Show in the options form only what the picked profile has at the picked cluster.
(function () {
  "use strict";
  var form = document.getElementById("launch-options");
  var brought = document.getElementById("launch-offer");
  // The page brings what it shows first.
  var offer = JSON.parse(brought.textContent);
  var profile = document.getElementById("profile");
  var site = document.getElementById("site");
  var description = document.getElementById("profile-hint");
  var inputs = {};
  var wrappers = document.querySelectorAll("#launch-options [data-field]");

  function option(value, text) {
    var made = document.createElement("option");
    made.value = value;
    made.textContent = text;
    return made;
  }

  function showSites() {
    var offered = offer.profiles[profile.value].sites;
    Array.prototype.forEach.call(site.options, function (each) {
      var at = offered[each.value];
      each.textContent = at ? offer.labels[at[0]] : offer.elsewhere[each.value];
      each.disabled = !at || offer.closed.indexOf(each.value) >= 0;
    });
    if (!offered[site.value] || !site.selectedOptions.length || site.selectedOptions[0].disabled) {
      var keys = Object.keys(offered);
      var open = keys.filter(function (key) { return offer.closed.indexOf(key) < 0; });
      site.value = open.length ? open[0] : keys[0];
    }
  }

  function fillList(list, field) {
    var picked = list.value;
    list.replaceChildren(option("", field.default));
    field.options.forEach(function (pair) { list.append(option(pair[0], pair[1])); });
    list.value = field.options.some(function (pair) { return pair[0] === picked; }) ? picked : "";
  }

  function bound(input, field) {
    input.placeholder = field.default;
    ["least", "most"].forEach(function (end, index) {
      var name = ["min", "max"][index];
      if (input.type === "number" && field[end] !== null) {
        input.setAttribute(name, field[end]);
      } else {
        input.removeAttribute(name);
      }
    });
  }

  // The page begins with an input where some pairs have options and others a range.
  function controlFor(wrapper, field) {
    var control = wrapper.querySelector("select, input");
    var input = inputs[field.name] || control;
    inputs[field.name] = input;
    if (input.tagName === "SELECT" || !field.options === (control === input)) {
      return control;
    }
    var wanted = input;
    if (field.options) {
      wanted = document.createElement("select");
      ["id", "name", "aria-describedby", "aria-invalid"].forEach(function (name) {
        if (input.hasAttribute(name)) {
          wanted.setAttribute(name, input.getAttribute(name));
        }
      });
      wanted.className = input.className.replace("form-control", "form-select");
      wanted.append(option(control.value, control.value));
    }
    wanted.value = control.value;
    control.replaceWith(wanted);
    return wanted;
  }

  function showField(wrapper, field) {
    var control = field ? controlFor(wrapper, field) : wrapper.querySelector("select, input");
    wrapper.hidden = !field;
    // What is not shown is not sent.
    control.disabled = !field;
    if (!field) {
      return;
    }
    wrapper.querySelector("label").textContent = field.label;
    document.getElementById(field.name + "-hint").textContent = field.hint;
    if (control.tagName === "SELECT") {
      fillList(control, field);
    } else {
      bound(control, field);
    }
  }

  function showFields() {
    var at = offer.profiles[profile.value].sites[site.value];
    var here = {};
    (at ? at[1] : []).forEach(function (index) { here[offer.fields[index].name] = offer.fields[index]; });
    wrappers.forEach(function (wrapper) { showField(wrapper, here[wrapper.dataset.field]); });
  }

  // Until the rest has come, another profile has the fields that any has, as without this script.
  function showAll() {
    Array.prototype.forEach.call(site.options, function (each) {
      each.disabled = offer.closed.indexOf(each.value) >= 0;
    });
    wrappers.forEach(function (wrapper) {
      wrapper.hidden = false;
      wrapper.querySelector("select, input").disabled = false;
    });
    description.textContent = "";
  }

  function profileChanged() {
    if (!offer.profiles[profile.value]) {
      showAll();
      return;
    }
    description.innerHTML = offer.profiles[profile.value].description;
    showSites();
    showFields();
  }

  function siteChanged() {
    if (offer.profiles[profile.value]) {
      showFields();
    }
  }

  function take(whole) {
    offer = whole;
    profileChanged();
    form.removeAttribute("aria-busy");
  }

  profile.addEventListener("change", profileChanged);
  site.addEventListener("change", siteChanged);
  showSites();
  showFields();
  form.setAttribute("aria-busy", "true");
  fetch(brought.dataset.url, { cache: "no-store", headers: { "X-XSRFToken": window.jhdata.xsrf_token } })
    .then(function (answer) { return answer.ok ? answer.json() : Promise.reject(answer.status); })
    .then(take)
    // The server decides, as without this script.
    .catch(function () { form.removeAttribute("aria-busy"); });
})();
