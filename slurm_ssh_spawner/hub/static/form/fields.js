// Only the fields that the picked profile has at the picked cluster, each with what would be taken if it is left.
import { showMemory } from "./memory.js";
import { profiles } from "./offer.js";
import { filled, made, option, options, plain, profile, say, site, tell } from "./page.js";

const wrappers = Array.from(options.querySelectorAll("[data-field]"));
const inputs = {};
const usual = {};
const keptFrom = {};

// What is beside it, outside of the form, only helps to fill it in.
function controlOf(wrapper) {
  return wrapper.querySelector("[name]:not([form])");
}

// The page begins with an input where some pairs have options and others a range.
function controlFor(wrapper, field) {
  const control = controlOf(wrapper);
  const input = inputs[field.name] || control;
  inputs[field.name] = input;
  if (input.tagName === "SELECT" || !field.options === (control === input)) {
    return control;
  }
  let other = input;
  if (field.options) {
    other = made("select", input.className.replace("form-control", "form-select"));
    ["id", "name", "aria-describedby", "aria-invalid"].forEach((name) => {
      if (input.hasAttribute(name)) {
        other.setAttribute(name, input.getAttribute(name));
      }
    });
    other.append(option(control.value, control.value));
  }
  other.value = control.value;
  control.replaceWith(other);
  return other;
}

function fillList(list, field) {
  const hasUsual = field.options.some((pair) => pair[0] === field.usual);
  list.replaceChildren(...(hasUsual ? [] : [option("", plain(field.default))]));
  field.options.forEach(([value, text]) => {
    list.append(option(value, plain(value === field.usual ? filled(say.usual, { value: text }) : text)));
  });
}

function bound(input, field) {
  input.placeholder = plain(field.default);
  [["least", "min"], ["most", "max"]].forEach(([end, name]) => {
    if (input.type === "number" && field[end] !== null) {
      input.setAttribute(name, field[end]);
    } else {
      input.removeAttribute(name);
    }
  });
}

function fits(field, value) {
  if (field.options) {
    return field.options.some((pair) => pair[0] === value);
  }
  return field.least === null || (Number(value) >= field.least && Number(value) <= field.most);
}

// What somebody chose stays, for another pair while it can be had there; the rest holds what would be taken.
function fill(control, field, isOther) {
  const value = control.value;
  const isChosen = value !== "" && value !== usual[field.name] && (fits(field, value) || !(isOther || field.options));
  if (control.tagName === "SELECT") {
    fillList(control, field);
  } else {
    bound(control, field);
  }
  control.value = isChosen ? value : field.usual;
  usual[field.name] = field.usual;
  return isChosen && value !== field.usual;
}

function showField(wrapper, field, isOther) {
  const control = field ? controlFor(wrapper, field) : controlOf(wrapper);
  wrapper.hidden = !field;
  // What is not shown is not sent.
  control.disabled = !field;
  if (!field) {
    return;
  }
  wrapper.querySelector("label").textContent = field.label;
  // Nothing changes under the hands of who is at it.
  if (!wrapper.contains(document.activeElement) && !fill(control, field, isOther)) {
    delete keptFrom[field.name];
  }
  showMemory(control);
  const from = keptFrom[field.name];
  const hint = from ? field.hint + " " + filled(say.kept, { profile: from }) : field.hint;
  tell(document.getElementById(field.name + "-hint"), hint.trim());
}

// `isOther`: another profile or cluster was picked.
export function showFields(isOther) {
  const known = profiles[profile.value];
  const at = known && known.sites[site.value];
  const here = {};
  (at ? at.fields : []).forEach((field) => { here[field.name] = field; });
  wrappers.forEach((wrapper) => showField(wrapper, here[wrapper.dataset.field], isOther));
}

// Until the rest has come, another profile has the fields that any has, as without this script.
export function showAllFields() {
  wrappers.forEach((wrapper) => {
    wrapper.hidden = false;
    controlOf(wrapper).disabled = false;
  });
}

// What is wrong with a field that the picked profile does not have is said above the others.
export function sayOfHidden() {
  wrappers.filter((wrapper) => wrapper.hidden).forEach((wrapper) => {
    const problem = wrapper.querySelector(".invalid-feedback");
    if (problem) {
      const said = made("p", "alert alert-danger", problem.textContent);
      said.setAttribute("role", "alert");
      options.prepend(said);
      problem.remove();
    }
  });
}

export function controls() {
  return wrappers.filter((wrapper) => !wrapper.hidden).map(controlOf);
}

function isChosen(control) {
  return control.value.trim() && control.value !== usual[control.name];
}

export function choices() {
  const chosen = { profile: profile.value, site: site.value };
  controls().filter(isChosen).forEach((control) => { chosen[control.name] = control.value; });
  return chosen;
}

// Of what is filled in, what was chosen for the profile of before is said to come from it.
export function keepFrom(name) {
  controls().filter(isChosen).forEach((control) => {
    keptFrom[control.name] = keptFrom[control.name] || name;
  });
}

export function isTyped(name) {
  delete keptFrom[name];
}

// What is as it would be anyway is left to the catalogue, which may change.
export function leaveOutUsual(event) {
  controls().forEach((control) => {
    if (control.value === usual[control.name]) {
      event.formData.delete(control.name);
    }
  });
}

// Fill in what is chosen of the fields that are shown.
export function fillIn(chosen) {
  controls().forEach((control) => {
    if (chosen[control.name] !== undefined) {
      control.value = chosen[control.name];
      showMemory(control);
    }
  });
}
