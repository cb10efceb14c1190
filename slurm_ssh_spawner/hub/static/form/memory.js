// Memory as a number and its unit.  What the server reads, such as `16 GB`, stays in the field itself, which is sent.
import { made, option, outside, say } from "./page.js";

const UNITS = ["MB", "GB", "TB"];
const WRITTEN = /^\s*([0-9]+(?:[.][0-9]*)?)\s*(?:([mgt])(?:i?b)?)?\s*$/i;
const ABOUT = ["aria-describedby", "aria-invalid"];

const number = outside(made("input", "form-control"));
const unit = outside(made("select", "form-select"));
const pair = made("div", "launch-amount");
let field = null;

number.id = number.name = "memory-number";
number.autocomplete = "off";
number.inputMode = "decimal";
number.maxLength = 20;
unit.name = "memory-unit";
unit.setAttribute("aria-label", say.unit);
pair.append(number, unit);
number.addEventListener("input", typed);
unit.addEventListener("input", typed);
// A unit that was written beside the number becomes the one that is picked.
number.addEventListener("change", (event) => {
  event.stopPropagation();
  showAmount();
});
unit.addEventListener("change", (event) => event.stopPropagation());

function typed(event) {
  event.stopPropagation();
  // Many write the fraction so; the sentence beside it says how it was understood.
  const text = number.value.trim().replace(",", ".");
  field.value = /[a-z]/i.test(text) || !text ? text : (text + " " + unit.value).trim();
  field.dispatchEvent(new Event("input", { bubbles: true }));
  if (event.target === unit) {
    showAmount();
  }
}

// Of a number without a unit nobody knows what it means; where there is none at all, GB is at hand.
function showAmount() {
  const written = WRITTEN.exec(field.value);
  const letter = written && written[2];
  const units = written && !letter ? [option("", say.unit)] : [];
  const known = letter ? letter.toUpperCase() + "B" : "";
  const before = unit.value;
  units.push(...UNITS.map((each, index) => option(each, say.units.split(" ")[index])));
  unit.replaceChildren(...units);
  unit.value = known || (units.length > UNITS.length ? "" : before || "GB");
  number.value = written ? written[1] : field.value;
  number.placeholder = field.placeholder;
}

function begin(control) {
  field = control;
  number.className = control.className;
  ABOUT.filter((name) => control.hasAttribute(name)).forEach((name) => {
    number.setAttribute(name, control.getAttribute(name));
  });
  control.before(pair);
  showAmount();
  if (control.hasAttribute("autofocus")) {
    number.focus();
  }
}

// The element in which people see and change what a field of the form holds.
export function facing(control) {
  return control === field ? number : control;
}

// Have memory shown as it is; where only some amounts can be had, the list of them is.
export function showMemory(control) {
  if (control.name !== "memory") {
    return;
  }
  const isTyped = control.tagName === "INPUT";
  if (isTyped && !field) {
    begin(control);
  }
  pair.hidden = !isTyped;
  control.hidden = isTyped;
  control.closest("[data-field]").querySelector("label").htmlFor = isTyped ? number.id : control.id;
  if (isTyped && !pair.contains(document.activeElement)) {
    showAmount();
  }
}
