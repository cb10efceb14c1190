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

  // An array is brought in step with its tasks a moment after they have changed.
  let late = 0;
  async function showNews() {
    await show();
    clearTimeout(late);
    if (live.querySelector("[data-kind=array]")) late = setTimeout(() => show().catch(() => {}), 2500);
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
      if (events.some((each) => each.includes("data:") && (!of || each.includes(of)))) await showNews();
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

  const refused = (answer) => Object.assign(new Error(String(answer.status)), { status: answer.status });

  // What was asked for when the job was over is all; an earlier answer may end before the job does.
  async function isOver() {
    const answer = await asked(button.dataset.job);
    if (!answer.ok) throw refused(answer);
    return (await answer.json()).ended !== null;
  }

  function append(text) {
    const below = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
    log.append(text);
    while (log.childNodes.length > 2000) log.firstChild.remove();
    if (below) log.scrollTop = log.scrollHeight;
  }

  // Begins behind `at` bytes, or with the last lines; tells `seen` with how many bytes it has.
  async function read(at, seen) {
    const from = at === null ? "tail=1000" : `offset=${at}`;
    const answer = await asked(`${button.dataset.log}?follow=true&wait=900&${from}`);
    if (!answer.ok) throw refused(answer);
    let count = Number(answer.headers.get("Log-Offset"));
    // A log that is shorter was begun anew.
    if (at === null || count < at) log.textContent = "";
    seen(count);
    said.textContent = button.dataset.follows;
    const decoder = new TextDecoder();
    const reader = answer.body.getReader();
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      count += value.length;
      seen(count);
      append(decoder.decode(value, { stream: true }));
    }
  }

  async function print() {
    button.disabled = true;
    log.hidden = false;
    said.textContent = button.dataset.follows;
    let at = null;
    for (;;) {
      try {
        const over = await isOver();
        await read(at, (count) => { at = count; });
        if (over) {
          said.textContent = button.dataset.ended;
          break;
        }
      } catch (error) {
        // What is refused now, is refused again.
        if (error.status && error.status < 500 && error.status !== 429) {
          said.textContent = button.dataset.broke;
          break;
        }
        said.textContent = button.dataset.again;
        await pause();
      }
    }
    button.disabled = false;
  }
  if (button) {
    button.hidden = false;
    button.addEventListener("click", print);
  }
})();
