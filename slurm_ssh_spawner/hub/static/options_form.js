// The options form: cards in place of lists, only the fields that the picked profile has at the picked cluster, what
// is free now, and what would be started.  Without this script the lists stay and the server decides.
(function () {
  "use strict";
  const MANY = 8;
  const SHOWN_FIRST = 6;
  const MOST_FOUND = 24;
  const LOOK_MS = 300;
  const REFRESH_MS = 30000;
  const DRAFT_MS = 3600000;

  const options = document.getElementById("launch-options");
  const form = options.closest("form");
  const brought = document.getElementById("launch-offer");
  // The page brings what it shows first.
  const first = JSON.parse(brought.textContent);
  const say = first.say;
  const profile = document.getElementById("profile");
  const site = document.getElementById("site");
  const description = document.getElementById("profile-hint");
  const wrappers = Array.from(options.querySelectorAll("[data-field]"));
  const summary = document.getElementById("launch-summary");
  const instead = document.getElementById("launch-instead");
  const start = form.querySelector("[type=submit]");
  const copy = document.getElementById("copy-link");
  const away = document.getElementById("form-away");

  const profiles = {};
  const askedAgain = new Set();
  const elsewhere = {};
  let recent = [];
  const inputs = {};
  const usual = {};
  const keptFrom = {};

  function made(tag, className, text) {
    const element = document.createElement(tag);
    element.className = className || "";
    element.textContent = text || "";
    return element;
  }

  function filled(text, values) {
    return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
  }

  function option(value, text) {
    const element = made("option", "", text);
    element.value = value;
    return element;
  }

  // -- what the hub says -------------------------------------------------------------------------------------

  function take(offer) {
    Object.assign(elsewhere, offer.elsewhere);
    Object.keys(offer.profiles).forEach((key) => {
      const told = offer.profiles[key];
      const sites = {};
      Object.keys(told.sites).forEach((name) => {
        const [place, fields] = told.sites[name];
        sites[name] = { place: offer.places[place], fields: fields.map((index) => offer.fields[index]) };
      });
      profiles[key] = Object.assign({}, told, { sites: sites });
    });
  }

  function ask(choices, signal) {
    const query = new URLSearchParams(choices).toString();
    const headers = { "X-XSRFToken": window.jhdata.xsrf_token };
    return fetch(brought.dataset.url + (query && "&" + query), { cache: "no-store", headers: headers, signal: signal })
      .then((answer) => (answer.ok ? answer.json() : Promise.reject(answer.status)));
  }

  // Of what is not asked any more, nobody knows how old it is.
  function answered(problem) {
    const isOurs = problem && (problem.name === "AbortError" || (problem >= 400 && problem < 500 && problem !== 403));
    // The server decides about other choices when they are sent, as without this script.
    if (!isOurs && away.hidden === Boolean(problem)) {
      away.hidden = !problem;
      showSites();
    }
  }

  function placeOf(key) {
    const known = profiles[profile.value];
    return known && known.sites[key] ? known.sites[key].place : elsewhere[key];
  }

  // -- cards: one for each option of a list, which they stand for ----------------------------------------------

  // What belongs to no form is not sent, and Enter in it sends nothing.
  function outside(input) {
    input.setAttribute("form", "");
    return input;
  }

  function cardsFor(list) {
    const cards = made("div", "cards narrow");
    cards.setAttribute("role", "radiogroup");
    cards.setAttribute("aria-labelledby", list.id + "-legend");
    ["aria-describedby", "aria-invalid"].forEach((name) => {
      if (list.hasAttribute(name)) {
        cards.setAttribute(name, list.getAttribute(name));
      }
    });
    cards.addEventListener("change", (event) => {
      list.value = event.target.value;
      list.dispatchEvent(new Event("change", { bubbles: true }));
    });
    const plain = list.closest(".launch-plain");
    plain.after(cards);
    plain.hidden = true;
    return cards;
  }

  function card(list, value, title) {
    const label = made("label", "page-card");
    const radio = outside(made("input", "form-check-input me-1"));
    radio.type = "radio";
    radio.name = "pick-" + list.id;
    radio.value = value;
    radio.checked = list.value === value;
    label.append(radio, made("strong", "", title));
    return label;
  }

  function radios(cards) {
    return Array.from(cards.querySelectorAll("input"));
  }

  // Whatever changes, who is at a card stays at it.
  function replaced(cards, labels) {
    const at = cards.contains(document.activeElement) ? document.activeElement.value : null;
    cards.replaceChildren(...labels);
    const again = at !== null && radios(cards).find((each) => each.value === at);
    if (again) {
      again.focus();
    }
  }

  const profileCards = cardsFor(profile);
  const siteCards = cardsFor(site);
  const every = Array.from(profile.options);
  const finding = { words: "", category: null, isWhole: false };
  let count = null;
  let more = null;

  function finder() {
    const row = made("div", "launch-find");
    const search = outside(made("input", "form-control"));
    search.type = "search";
    search.id = "profile-search";
    search.placeholder = filled(say.find, { count: every.length });
    search.setAttribute("aria-label", search.placeholder);
    search.addEventListener("input", () => {
      finding.words = search.value;
      showProfiles();
    });
    row.append(search);
    const categories = Array.from(profile.querySelectorAll("optgroup"));
    if (categories.length) {
      const list = outside(made("select", "form-select"));
      list.setAttribute("aria-label", say.category);
      list.append(option("", say.all_categories));
      categories.forEach((group, index) => list.append(option(String(index + 1), group.label)));
      list.addEventListener("change", () => {
        finding.category = list.value ? categories[Number(list.value) - 1] : null;
        showProfiles();
      });
      row.append(list);
    }
    count = made("p", "secondary");
    count.setAttribute("role", "status");
    more = made("button", "btn btn-link p-0");
    more.type = "button";
    more.addEventListener("click", () => {
      const before = new Set(radios(profileCards).map((each) => each.value));
      finding.isWhole = true;
      showProfiles();
      radios(profileCards).find((each) => !before.has(each.value)).focus();
    });
    profileCards.before(row, count);
    profileCards.after(more);
  }

  function matches(each) {
    const told = profiles[each.value];
    const text = (each.textContent + " " + (told ? told.search : "")).toLowerCase();
    const words = finding.words.toLowerCase().split(/\s+/);
    return words.every((word) => text.includes(word)) && (!finding.category || each.parentElement === finding.category);
  }

  function wanted() {
    if (every.length <= MANY) {
      return every;
    }
    const last = recent.map((each) => every.find((one) => one.value === each.profile)).filter(Boolean);
    const sorted = Array.from(new Set(last.concat(every))).filter(matches);
    const isFinding = finding.words.trim() || finding.category;
    const most = finding.isWhole ? sorted.length : isFinding ? MOST_FOUND : SHOWN_FIRST;
    const shown = sorted.slice(0, most);
    const picked = profile.selectedOptions[0];
    if (!isFinding && picked && !shown.includes(picked)) {
      shown[shown.length - 1] = picked;
    }
    count.textContent = isFinding ? filled(say.found, { count: sorted.length, all: every.length })
      : last.length ? say.recent : "";
    more.textContent = filled(say.show_all, { count: sorted.length });
    more.hidden = shown.length >= sorted.length;
    return shown;
  }

  function when(text) {
    const moment = new Date(text);
    const isToday = moment.toDateString() === new Date().toDateString();
    const clock = { hour: "2-digit", minute: "2-digit" };
    return isToday ? moment.toLocaleTimeString([], clock)
      : moment.toLocaleString([], Object.assign({ weekday: "short", day: "numeric", month: "short" }, clock));
  }

  function profileCard(each) {
    const label = card(profile, each.value, each.textContent);
    const told = profiles[each.value];
    const last = recent.find((one) => one.profile === each.value);
    if (last) {
      const where = (elsewhere[last.site] || { title: last.site }).title;
      label.append(made("span", "secondary ms-2", filled(say.last_time, { when: when(last.begun), site: where })));
    }
    if (told && told.short) {
      label.append(made("span", "secondary d-block", told.short));
    }
    if (told && told.gets) {
      label.append(made("span", "secondary d-block", told.gets));
    }
    if (told && told.full) {
      label.append(made("span", "launch-why d-block", told.full));
    }
    return label;
  }

  function showProfiles() {
    replaced(profileCards, wanted().map(profileCard));
  }

  const DOTS = { free: "dot-good", busy: "dot-wait", away: "dot-bad", closed: "dot-bad", unknown: "dot-off" };

  function siteCard(each) {
    const place = placeOf(each.value);
    const label = card(site, each.value, place.title);
    label.querySelector("input").disabled = each.disabled;
    label.append(made("span", "secondary launch-age", away.hidden ? place.age : ""));
    const news = made("span", "launch-news", place.news);
    const state = made("span", "launch-state");
    state.append(made("span", "dot flex-shrink-0 " + DOTS[place.state]), news);
    state.hidden = !place.news;
    label.append(state);
    const holder = made("div", "launch-card");
    holder.append(label);
    if (place.may_ask && each.disabled) {
      const again = made("button", "btn btn-sm btn-outline-secondary mt-1", say.ask_again);
      again.type = "button";
      again.addEventListener("click", () => {
        askedAgain.add(each.value);
        takeSite(each.value);
      });
      holder.append(again);
    }
    return holder;
  }

  // The button that was pressed is gone then.
  function takeSite(key) {
    site.value = key;
    siteChanged();
    siteCards.querySelector("input:checked").focus();
  }

  // Only the cluster that is picked is read out when its news change.
  function siteCardsUpdated() {
    const cards = Array.from(siteCards.children);
    Array.from(site.options).forEach((each, index) => {
      const now = siteCard(each);
      const was = cards[index];
      const news = was.querySelector(".launch-news");
      if (each.selected) {
        news.setAttribute("aria-live", "polite");
      } else {
        news.removeAttribute("aria-live");
      }
      was.querySelector("input").checked = each.selected;
      was.querySelector("input").disabled = each.disabled;
      [".launch-news", ".launch-age"].forEach((name) => {
        if (was.querySelector(name).textContent !== now.querySelector(name).textContent) {
          was.querySelector(name).textContent = now.querySelector(name).textContent;
        }
      });
      const again = now.querySelector("button");
      const before = was.querySelector("button");
      if (again && !before) {
        was.append(again);
      } else if (before && !again) {
        before.remove();
      }
      was.querySelector(".dot").className = now.querySelector(".dot").className;
      news.parentElement.hidden = !news.textContent;
    });
  }

  function showSites() {
    const known = profiles[profile.value];
    Array.from(site.options).forEach((each) => {
      const place = placeOf(each.value);
      each.textContent = place.label;
      each.disabled = place.state === "closed" && !askedAgain.has(each.value);
    });
    if (known && (!known.sites[site.value] || !site.selectedOptions.length || site.selectedOptions[0].disabled)) {
      const keys = Object.keys(known.sites);
      site.value = keys.find((key) => known.sites[key].place.state !== "closed") || keys[0];
    }
    // What a card says is not said once more below.
    const problem = document.getElementById("site-problem");
    if (problem && Array.from(site.options).some((each) => placeOf(each.value).news === problem.textContent)) {
      problem.remove();
    }
    if (siteCards.children.length) {
      siteCardsUpdated();
    } else {
      replaced(siteCards, Array.from(site.options).map(siteCard));
    }
  }

  // What the server said of a pick is said of that one alone.
  function unmark(list, cards) {
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

  // -- fields ------------------------------------------------------------------------------------------------

  // The page begins with an input where some pairs have options and others a range.
  function controlFor(wrapper, field) {
    const control = wrapper.querySelector("select, input");
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
    list.replaceChildren(...(hasUsual ? [] : [option("", field.default)]));
    field.options.forEach(([value, text]) => {
      list.append(option(value, value === field.usual ? filled(say.usual, { value: text }) : text));
    });
  }

  function bound(input, field) {
    input.placeholder = field.default;
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
    const control = field ? controlFor(wrapper, field) : wrapper.querySelector("select, input");
    wrapper.hidden = !field;
    // What is not shown is not sent.
    control.disabled = !field;
    if (!field) {
      return;
    }
    wrapper.querySelector("label").textContent = field.label;
    // Nothing changes under the hands of who is at it.
    if (control !== document.activeElement && !fill(control, field, isOther)) {
      delete keptFrom[field.name];
    }
    const from = keptFrom[field.name];
    const hint = from ? field.hint + " " + filled(say.kept, { profile: from }) : field.hint;
    document.getElementById(field.name + "-hint").textContent = hint.trim();
  }

  function showFields(isOther) {
    const known = profiles[profile.value];
    const at = known && known.sites[site.value];
    const here = {};
    (at ? at.fields : []).forEach((field) => { here[field.name] = field; });
    wrappers.forEach((wrapper) => showField(wrapper, here[wrapper.dataset.field], isOther));
  }

  // Until the rest has come, another profile has the fields that any has, as without this script.
  function showAll() {
    wrappers.forEach((wrapper) => {
      wrapper.hidden = false;
      wrapper.querySelector("select, input").disabled = false;
    });
    description.textContent = "";
  }

  function controls() {
    return wrappers.filter((wrapper) => !wrapper.hidden).map((wrapper) => wrapper.querySelector("select, input"));
  }

  function choices() {
    const chosen = { profile: profile.value, site: site.value };
    controls().forEach((control) => {
      if (control.value.trim() && control.value !== usual[control.name]) {
        chosen[control.name] = control.value;
      }
    });
    return chosen;
  }

  // -- what would be started -----------------------------------------------------------------------------------

  // A sentence of the server about what was sent stays until that is changed.
  const kept = new Set(Array.from(options.querySelectorAll("[aria-invalid][name]")).map((each) => each.name));

  function showProblem(control, text) {
    const id = control.name + "-problem";
    let problem = document.getElementById(id);
    if (!text && kept.has(control.name)) {
      return;
    }
    if (text && !problem) {
      problem = made("div", "invalid-feedback d-block");
      problem.id = id;
      document.getElementById(control.name + "-hint").after(problem);
    }
    control.classList.toggle("is-invalid", Boolean(text));
    if (text) {
      control.setAttribute("aria-invalid", "true");
      if (problem.textContent !== text) {
        problem.textContent = text;
      }
    } else if (problem) {
      control.removeAttribute("aria-invalid");
      problem.remove();
    }
  }

  function describeBy(control) {
    const ids = ["hint", "echo", "problem"].map((what) => control.name + "-" + what);
    const shown = ids.filter((id) => {
      const found = document.getElementById(id);
      return found && !found.hidden;
    });
    control.setAttribute("aria-describedby", shown.join(" "));
  }

  function showEcho(control, text) {
    const id = control.name + "-echo";
    let echo = document.getElementById(id);
    if (text && !echo) {
      echo = made("div", "form-text launch-echo");
      echo.id = id;
      control.after(echo);
    }
    if (echo) {
      echo.textContent = text || "";
      echo.hidden = !text;
    }
  }

  function showPreview(preview) {
    const end = { end: preview.ends ? when(preview.ends) : "" };
    controls().forEach((control) => {
      showProblem(control, preview.problems[control.name]);
      const echo = preview.said[control.name];
      showEcho(control, echo && filled(echo, end));
      describeBy(control);
    });
    const place = placeOf(site.value);
    const isSaid = preview.summary && !preview.stop && place && (place.state === "free" || place.state === "busy");
    showSummary(preview, end, isSaid ? place.news : "");
    showInstead(preview.summary && place && place.state !== "free");
    start.disabled = Boolean(preview.stop);
  }

  // It is read out when something else would be started, not whenever the clock goes on.
  function showSummary(preview, end, news) {
    const meant = JSON.stringify([preview.stop, preview.summary, news]);
    const text = preview.stop || filled(preview.summary, end);
    if (summary.textContent === text + (news && " " + news)) {
      return;
    }
    summary.setAttribute("aria-live", summary.dataset.meant === meant ? "off" : "polite");
    summary.dataset.meant = meant;
    summary.replaceChildren(made("span", "", text), ...(news ? [" ", made("strong", "launch-news", news)] : []));
    summary.classList.toggle("launch-why", Boolean(preview.stop));
  }

  // What would have to wait here, or cannot be started, may start at once elsewhere.
  function showInstead(isWanted) {
    const other = isWanted && Array.from(site.options).find((each) => placeOf(each.value).state === "free");
    const key = other ? other.value : "";
    // The button stays under the hands of who is at it.
    if (instead.dataset.site === key) {
      return;
    }
    instead.dataset.site = key;
    instead.hidden = !other;
    if (!other) {
      return;
    }
    const title = placeOf(key).title;
    const button = made("button", "btn btn-sm btn-outline-secondary", filled(say.take, { site: title }));
    button.type = "button";
    button.addEventListener("click", () => {
      showInstead(false);
      takeSite(key);
    });
    instead.replaceChildren(filled(say.instead, { site: title }), " ", button);
  }

  let looking = null;
  let resting = 0;

  function look() {
    clearTimeout(resting);
    if (looking) {
      looking.abort();
    }
    looking = new AbortController();
    const asked = choices();
    return ask(asked, looking.signal)
      .then((offer) => {
        take(offer);
        answered(null);
        showSites();
        if (description.dataset.of !== profile.value) {
          describe();
        }
        showFields(false);
        showPreview(offer.preview);
      })
      .catch(answered);
  }

  function lookSoon() {
    clearTimeout(resting);
    resting = setTimeout(look, LOOK_MS);
  }

  // -- what people do ------------------------------------------------------------------------------------------

  function describe() {
    const known = profiles[profile.value];
    description.dataset.of = known ? profile.value : "";
    description.innerHTML = known ? known.description : "";
    // What the card says already is not said twice.
    const isMore = description.querySelector("a, li, table, pre") || (known && known.short.endsWith("…"));
    description.hidden = !isMore || !description.textContent.trim();
  }

  let pickedBefore = profile.value;

  function profileChanged() {
    const before = profiles[pickedBefore];
    pickedBefore = profile.value;
    unmark(profile, profileCards);
    unmark(site, siteCards);
    controls().forEach((control) => {
      if (before && control.value && control.value !== usual[control.name]) {
        keptFrom[control.name] = keptFrom[control.name] || before.name;
      }
    });
    radios(profileCards).forEach((each) => {
      each.checked = each.value === profile.value;
    });
    describe();
    if (profiles[profile.value]) {
      showSites();
      showFields(true);
    } else {
      showAll();
    }
    lookSoon();
  }

  function siteChanged() {
    unmark(site, siteCards);
    showSites();
    if (profiles[profile.value]) {
      showFields(true);
    }
    lookSoon();
  }

  function fieldChanged(event) {
    const name = event.target.name;
    if (event.target.closest("[data-field]")) {
      kept.delete(name);
      delete keptFrom[name];
      lookSoon();
    }
  }

  // What is as it would be anyway is left to the catalogue, which may change.
  function leaveOutUsual(event) {
    controls().forEach((control) => {
      if (control.value === usual[control.name]) {
        event.formData.delete(control.name);
      }
    });
  }

  // -- what is kept and handed on --------------------------------------------------------------------------------

  // Of one person and server: somebody else may log in in the same tab.
  const draftKey = "launch-draft:" + window.jhdata.user + ":" + location.pathname;

  function keepDraft() {
    try {
      sessionStorage.setItem(draftKey, JSON.stringify({ at: Date.now(), choices: choices() }));
    } catch (error) {
      // A browser that keeps nothing works as well.
    }
  }

  function draft() {
    try {
      const found = JSON.parse(sessionStorage.getItem(draftKey));
      const isSent = recent.some((each) => Date.parse(each.begun) > found.at - 1000);
      return found && !isSent && Date.now() - found.at < DRAFT_MS ? found.choices : null;
    } catch (error) {
      return null;
    }
  }

  function forget() {
    try {
      sessionStorage.removeItem(draftKey);
    } catch (error) {
      // There is none.
    }
  }

  function isSame(one, other) {
    const names = new Set(Object.keys(one).concat(Object.keys(other)));
    return Array.from(names).every((name) => one[name] === other[name]);
  }

  function restore() {
    const isAnswer = document.querySelector(".spawn-error-msg, #server-name-problem, #launch-note");
    const found = !isAnswer && draft();
    if (!found || !profiles[found.profile] || isSame(found, choices())) {
      return;
    }
    profile.value = found.profile;
    profileChanged();
    if (profiles[found.profile].sites[found.site]) {
      site.value = found.site;
      siteChanged();
    }
    controls().forEach((control) => {
      if (found[control.name] !== undefined) {
        control.value = found[control.name];
      }
    });
    const note = made("p", "alert alert-info");
    const news = made("span", "", say.draft);
    news.setAttribute("role", "status");
    const anew = made("button", "btn btn-sm btn-outline-secondary ms-2", say.dismiss);
    anew.type = "button";
    anew.addEventListener("click", () => {
      forget();
      location.reload();
    });
    note.append(news, anew);
    options.prepend(note);
  }

  function copyLink() {
    const query = new URLSearchParams(choices());
    const next = new URLSearchParams(location.search).get("next");
    if (next) {
      query.set("next", next);
    }
    // Whoever opens it is asked for a server of theirs.
    const link = location.origin + form.dataset.link + "?" + query;
    const said = document.getElementById("copy-said");
    const show = () => {
      const shown = outside(made("input", "form-control form-control-sm"));
      shown.readOnly = true;
      shown.value = link;
      shown.setAttribute("aria-label", say.not_copied);
      said.replaceChildren(say.not_copied + " ", shown);
      shown.select();
    };
    if (navigator.clipboard) {
      navigator.clipboard.writeText(link).then(() => { said.textContent = say.copied; }, show);
    } else {
      show();
    }
  }

  function nameChanged(input) {
    const shown = input.value.trim().replace(/\s+/g, " ");
    const title = shown ? filled(input.dataset.title, { name: shown }) : input.dataset.usual;
    document.querySelector("h1").textContent = title;
    document.title = title;
  }

  function listen() {
    profile.addEventListener("change", profileChanged);
    site.addEventListener("change", siteChanged);
    options.addEventListener("input", fieldChanged);
    options.addEventListener("change", keepDraft);
    options.addEventListener("input", keepDraft);
    form.addEventListener("formdata", leaveOutUsual);
    form.addEventListener("submit", () => setTimeout(() => { start.disabled = true; }));
    window.addEventListener("pageshow", (event) => {
      if (event.persisted) {
        start.disabled = false;
        look();
      }
    });
    copy.hidden = false;
    copy.addEventListener("click", copyLink);
    const name = document.getElementById("server-name");
    if (name) {
      name.addEventListener("input", () => nameChanged(name));
    }
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) {
        look();
      }
    });
    setInterval(() => {
      if (!document.hidden) {
        look();
      }
    }, REFRESH_MS);
  }

  function begin() {
    const isWrong = profile.matches("[autofocus]") ? profileCards : site.matches("[autofocus]") ? siteCards : null;
    take(first);
    document.querySelectorAll("#site-hint time").forEach((time) => { time.textContent = when(time.dateTime); });
    if (every.length > MANY) {
      finder();
    }
    showProfiles();
    showSites();
    describe();
    showFields(false);
    listen();
    if (isWrong) {
      isWrong.querySelector("input:checked").focus();
    }
    options.setAttribute("aria-busy", "true");
    ask({})
      .then((offer) => {
        take(offer);
        recent = offer.recent;
        showProfiles();
        restore();
      })
      .catch(answered)
      .then(look)
      .then(() => options.removeAttribute("aria-busy"));
  }

  begin();
})();
