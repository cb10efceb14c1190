// The elements of the options form, and how others are made.
export const options = document.getElementById("launch-options");
export const form = options.closest("form");
export const brought = document.getElementById("launch-offer");
// The page brings what it shows first.
export const first = JSON.parse(brought.textContent);
export const say = first.say;
export const profile = document.getElementById("profile");
export const site = document.getElementById("site");
export const start = form.querySelector("[type=submit]");
export const away = document.getElementById("form-away");

export function made(tag, className, text) {
  const element = document.createElement(tag);
  element.className = className || "";
  element.textContent = text || "";
  return element;
}

export function button(className, text, pressed) {
  const element = made("button", className, text);
  element.type = "button";
  element.addEventListener("click", pressed);
  return element;
}

export function option(value, text) {
  const element = made("option", "", text);
  element.value = value;
  return element;
}

// What belongs to no form is not sent, and Enter in it sends nothing.
export function outside(input) {
  input.setAttribute("form", "");
  return input;
}

export function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
}

// A moment in a text of the hub, which the reader's clock says.
const MOMENT = /\{(\d{4}-\d\d-\d\dT[^{}]*)\}/;

function time(moment) {
  const element = made("time", "", when(moment));
  element.dateTime = moment;
  return element;
}

// Have an element say a text of the hub, unless it does.
export function tell(element, text) {
  if (element.textContent === plain(text)) {
    return;
  }
  element.replaceChildren(...text.split(MOMENT).map((part, index) => (index % 2 ? time(part) : part)));
  window.launchMoments(element);
}

// The same as a text, for what can hold no elements.
export function plain(text) {
  return text.split(MOMENT).map((part, index) => (index % 2 ? when(part) : part)).join("");
}

export function moment(text) {
  return "{" + text + "}";
}

function when(text) {
  const then = new Date(text);
  const isToday = then.toDateString() === new Date().toDateString();
  const clock = { hour: "2-digit", minute: "2-digit" };
  return isToday ? then.toLocaleTimeString([], clock)
    : then.toLocaleString([], Object.assign({ weekday: "short", day: "numeric", month: "short" }, clock));
}

// As if somebody had picked it in the list.
export function picked(list, value) {
  list.value = value;
  list.dispatchEvent(new Event("change", { bubbles: true }));
}
