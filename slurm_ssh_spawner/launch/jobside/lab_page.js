// What JupyterLab 4 shows of its job: where it runs, how much time it has left, and why it has ended.
// JupyterLab loads extensions as containers of module federation, which bundlers write: an object with `init`, which
// is given the modules that JupyterLab shares, and `get`. This one is written by hand, so nothing has to be built.
"use strict";
(() => {
  const NAME = "jupyterhub-sites";
  const WARNINGS = [15, 5];
  const LOOK_MS = 10000;
  const AWAY_MS = 60000;
  let scope, facts, ended = false, awayUntil = 0, skewMs = 0, redraw = () => {};

  async function shared(name) {
    const versions = Object.values(scope[name] || {});
    const used = versions.find((each) => each.loaded) || versions[0];
    return used ? (await used.get())() : {};
  }

  const factsOf = (page) =>
    JSON.parse(JSON.parse(page.getElementById("jupyter-config-data").textContent).jupyterhubSites);
  const say = (words, more) => words.replace(/{(\w+)}/g, (_, name) => ({ ...facts, ...more })[name]);
  const minutesLeft = () => Math.ceil((facts.ends * 1000 - Date.now() - skewMs) / 60000);
  // A browser's clock may be wrong; that of who answers is near the cluster's.
  function setClock(answer) {
    const now = Date.parse(answer.headers.get("Date"));
    if (now) skewMs = now - Date.now();
  }

  async function answers(base) {
    try {
      const answer = await fetch(`${base}api`, { cache: "no-store" });
      setClock(answer);
      return answer.ok;
    } catch {
      return false;
    }
  }

  function clock(moment) {
    const how = { hour: "2-digit", minute: "2-digit" };
    if (moment.toDateString() !== new Date().toDateString()) how.weekday = "short";
    return moment.toLocaleTimeString([], how);
  }

  const ends = () => clock(new Date(facts.ends * 1000));

  function standing() {
    const place = say(facts.words.place), left = minutesLeft();
    if (ended) return facts.words.over;
    if (Date.now() < awayUntil) return say(facts.words.away);
    if (left < 1) return place;
    const words = left < 60 ? facts.words.minutes_left : facts.words.hours_left;
    return say(words, { place, hours: Math.floor(left / 60), minutes: left < 60 ? left : left % 60 });
  }

  function warn(app, apputils, told) {
    const left = minutesLeft();
    // Who has asked for ten minutes knows that they end within fifteen.
    const due = WARNINGS.filter((each) => left <= each && each < facts.minutes).map((each) => facts.launch + each);
    if (ended || left < 1 || due.every((each) => told.has(each))) return;
    due.forEach((each) => told.add(each));
    const save = { label: facts.words.save_all, callback: () => app.commands.execute("docmanager:save-all") };
    const text = say(facts.words.soon, { minutes: left, ends: ends() });
    apputils.Notification.warning(text, { autoClose: false, actions: [{ ...save, displayType: "accent" }] });
  }

  function keepTitle(app) {
    const element = document.querySelector("title");
    let last;
    const change = () => {
      const now = document.title, mine = `${facts.server || app.name} · ${facts.site}`;
      if (now === last) return;
      last = now.includes(app.name) ? now.replace(app.name, () => mine) : `${now} - ${mine}`;
      document.title = last;
    };
    change();
    new MutationObserver(change).observe(element, { childList: true });
  }

  // A server that was started again has the same address: a page that was left open goes on with it.
  async function lookAgain() {
    if (!ended) return;
    try {
      const page = await (await fetch(location.pathname)).text();
      facts = factsOf(new DOMParser().parseFromString(page, "text/html"));
      ended = false;
    } catch {
      // It is still the hub that answers.
    }
  }

  function showTime(app, apputils, Widget, statusBar, base) {
    const told = new Set(), item = new Widget();
    item.addClass("jp-StatusBar-TextItem");
    redraw = () => {
      item.node.textContent = standing();
      item.node.title = say(facts.words.job, { ends: ends() });
      warn(app, apputils, told);
    };
    statusBar?.registerStatusItem(`${NAME}:time`, { item, align: "left", rank: 100, isActive: () => true });
    window.addEventListener("focus", () => lookAgain().then(redraw));
    answers(base).then(redraw);
    setInterval(redraw, LOOK_MS);
    keepTitle(app);
  }

  // A hub may say the moment by its own clock alone.
  const said = ({ ended, sentence, template }) =>
    template ? template.replace("{ended}", () => clock(new Date(ended))) : sentence;

  // Why it has ended, "" while it is not known to have.
  async function why(urls) {
    try {
      const answer = await fetch(`${urls.hubHost || ""}${urls.hubPrefix}api/launches/${facts.launch}/end`);
      setClock(answer);
      if (answer.ok) return said(await answer.json());
    } catch {
      // The browser has no network, or may not ask a hub with another name.
    }
    // Who still answers has not ended, whatever the time is.
    const isOver = minutesLeft() < 1 && !(await answers(urls.base)) && minutesLeft() < 1;
    return isOver ? say(facts.words.was_up, { ends: ends() }) : "";
  }

  function startAgain(app, urls) {
    const path = ["spawn", urls.hubUser, urls.hubServerName].filter(Boolean).map(encodeURIComponent).join("/");
    const next = encodeURIComponent(location.pathname);
    // What is not saved stays in this page, and can be saved once the server is back.
    window.open(`${urls.hubHost || ""}${urls.hubPrefix}${path}?next=${next}`, app.status?.isDirty ? "_blank" : "_self");
  }

  function onLost(app, apputils, urls, info) {
    const { Dialog, showDialog } = apputils;
    let asking = false;
    async function tell() {
      const sentence = await why(urls);
      if (sentence) {
        ended = true;
        redraw();
        // Meanwhile JupyterLab asks the server nothing.
        if (info) info.isConnected = false;
        const buttons = [
          Dialog.cancelButton({ label: facts.words.dismiss }),
          Dialog.okButton({ label: facts.words.start_again }),
        ];
        const answer = await showDialog({ title: facts.words.over, body: sentence, buttons });
        if (info) info.isConnected = true;
        if (answer.button.accept) startAgain(app, urls);
      } else {
        // JupyterLab asks again, and cannot load what shows a notification.
        awayUntil = Date.now() + AWAY_MS;
        redraw();
      }
    }
    return async () => {
      // Who has dismissed it knows.
      if (asking || ended) return;
      asking = true;
      await tell().finally(() => (asking = false));
    };
  }

  async function plugins() {
    const names = ["@jupyterlab/application", "@jupyterlab/apputils", "@jupyterlab/statusbar", "@lumino/widgets"];
    const [application, apputils, { IStatusBar }, { Widget }] = await Promise.all(names.map(shared));
    const { IConnectionLost, JupyterFrontEnd, JupyterLab } = application;
    facts = factsOf(document);
    return [
      {
        id: `${NAME}:time`,
        autoStart: true,
        requires: [JupyterFrontEnd.IPaths],
        optional: [IStatusBar].filter(Boolean),
        activate: (app, { urls }, statusBar) => showTime(app, apputils, Widget, statusBar, urls.base),
      },
      {
        id: `${NAME}:connection-lost`,
        autoStart: true,
        provides: IConnectionLost,
        requires: [JupyterFrontEnd.IPaths],
        optional: [JupyterLab.IInfo],
        activate: (app, { urls }, info) => onLost(app, apputils, urls, info),
      },
    ];
  }

  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB[NAME] = {
    init: (modules) => (scope = modules),
    get: async () => {
      const made = await plugins();
      return () => made;
    },
  };
})();
