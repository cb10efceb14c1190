// Cards: one for each option of a list, which they stand for.
import { made, outside, picked } from "./page.js";

export function cardsFor(list) {
  const cards = made("div", "cards narrow");
  cards.setAttribute("role", "radiogroup");
  cards.setAttribute("aria-labelledby", list.id + "-legend");
  ["aria-describedby", "aria-invalid"].forEach((name) => {
    if (list.hasAttribute(name)) {
      cards.setAttribute(name, list.getAttribute(name));
    }
  });
  cards.addEventListener("change", (event) => picked(list, event.target.value));
  const plain = list.closest(".launch-plain");
  plain.after(cards);
  plain.hidden = true;
  return cards;
}

export function card(list, value, title) {
  const label = made("label", "page-card");
  const radio = outside(made("input", "form-check-input me-1"));
  radio.type = "radio";
  radio.name = "pick-" + list.id;
  radio.value = value;
  radio.checked = list.value === value;
  label.append(radio, made("strong", "", title));
  return label;
}

export function radios(cards) {
  return Array.from(cards.querySelectorAll("input"));
}

// Whatever changes, who is at a card stays at it.
export function replaced(cards, labels) {
  const at = cards.contains(document.activeElement) ? document.activeElement.value : null;
  cards.replaceChildren(...labels);
  const again = at !== null && radios(cards).find((each) => each.value === at);
  if (again) {
    again.focus();
  }
}

// What the server said of a pick is said of that one alone.
export function unmark(list, cards) {
  const problem = document.getElementById(list.id + "-problem");
  if (problem) {
    problem.remove();
  }
  list.classList.remove("is-invalid");
  [list, cards].forEach((each) => {
    each.removeAttribute("aria-invalid");
    each.setAttribute("aria-describedby", list.id + "-hint");
  });
}
