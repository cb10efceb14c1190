// What makes pages live: a list or a job that changes, a log that is followed.  Pages do without it.
(function () {
  "use strict";
  const { root, xsrf } = document.body.dataset;
  const live = document.querySelector("[data-live]");
  const PAUSE = 5000;
  const asked = (url, more) => fetch(url, { headers: { "X-XSRFToken": xsrf }, credentials: "same-origin", ...more });
  const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE));

  async function show() {
    const answer = await asked(live.dataset.live);
    if (!answer.ok) return;
    const text = await answer.text();
    const chosen = new Set([...live.querySelectorAll("input:checked")].map((each) => each.id));
    const focused = live.contains(document.activeElement) ? document.activeElement.id : "";
    const before = live.querySelector("#job-stage")?.textContent;
    live.innerHTML = text;
    for (const each of live.querySelectorAll("input[type=checkbox]")) each.checked = chosen.has(each.id);
    if (focused) document.getElementById(focused)?.focus();
    const stage = live.querySelector("#job-stage")?.textContent;
    const news = document.getElementById("job-news");
    if (news && stage !== before) news.textContent = stage;
    window.launchMoments?.(live);
  }

  // One stream of events while the page is seen: between changes nothing is asked.
  async function listen(signal) {
    const answer = await asked(`${root}/api/v1/events`, { signal });
    if (!answer.ok) throw new Error(String(answer.status));
    await show();
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let kept = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const events = (kept + value).split(/\r?\n\r?\n/);
      kept = events.pop();
      const of = live.dataset.of;
      if (events.some((each) => each.includes("data:") && (!of || each.includes(of)))) await show();
    }
  }

  async function follow() {
    while (live && !("over" in live.dataset)) {
      if (document.hidden) {
        await new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
        continue;
      }
      const ends = new AbortController();
      const hide = () => document.hidden && ends.abort();
      document.addEventListener("visibilitychange", hide);
      try {
        await listen(ends.signal);
      } catch {
        // The service is away, or the page was hidden: it goes on later.
      } finally {
        document.removeEventListener("visibilitychange", hide);
      }
      await pause();
    }
  }
  if (live) follow();

  const button = document.getElementById("follow");
  const log = document.getElementById("log");
  const said = document.getElementById("follow-said");

  async function print() {
    button.disabled = true;
    log.hidden = false;
    log.textContent = "";
    said.textContent = button.dataset.follows;
    try {
      const answer = await asked(`${button.dataset.log}?follow=true&tail=1000`);
      if (!answer.ok) throw new Error(String(answer.status));
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        const below = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
        log.append(value);
        if (below) log.scrollTop = log.scrollHeight;
      }
      said.textContent = button.dataset.ended;
    } catch {
      said.textContent = button.dataset.broke;
    }
    button.disabled = false;
  }
  if (button) {
    button.hidden = false;
    button.addEventListener("click", print);
  }

  // Of projects only those of the picked cluster are seen.
  const site = document.querySelector("#new-job #site");
  const project = document.getElementById("project");
  function fit() {
    for (const group of project.querySelectorAll("optgroup")) {
      group.hidden = group.disabled = group.dataset.site !== site.value;
    }
    if (project.selectedOptions[0]?.parentElement.disabled) project.value = "";
  }
  if (site && project) {
    site.addEventListener("change", fit);
    fit();
  }
})();
