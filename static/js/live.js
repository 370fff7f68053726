// What changes, by event, in each window of a browser. A browser holds six connections to a server, so one visible window
// has the stream for all of them and tells the others; where it goes, the next one takes over. A hidden window leaves, and
// comes back with the number of the last change that it was told.

import { get } from "./api.js";
import { el, icon, setText, toast } from "./dom.js";
import { headline, integer } from "./format.js";
import { root, url } from "./model/address.js";

const RETRY_MS = 2000;
const WORDS = { live: "Live", reconnecting: "Reconnecting", offline: "Offline" };
const NAME = `runyard-live${root}`; // of the lock that the window with the stream holds, and of the channel to the others

let source = null; // the stream, in the window that has it
let lastId = document.body.dataset.change ?? ""; // what this page was made at: whatever came after is told
let timer = 0;
let failures = 0;
let counted = null;
let away = null; // ends this window's part
let channel = null;
// a page that shows runs and missed too many changes to be told them begins anew: all that it looks at is in its address
const listeners = { run: [], deleted: [], counts: [], missed: [() => listeners.run.length && location.reload()] };

/** on("run", ({run, status, step}) => …); kinds: run, deleted, counts. */
export function on(kind, listener) {
  listeners[kind].push(listener);
  // told before this page's module was there: told again, once that module is whole
  if (kind === "counts" && counted) queueMicrotask(() => listener(counted));
}

let lost = null; // since when the server has been away, by the clock of this window

function show(state) {
  if (state === "live") lost = null;
  else lost ??= new Date();
  const bar = document.getElementById("offline");
  bar.hidden = state !== "offline";
  if (state === "offline")
    setText(
      bar,
      `Offline since ${lost.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" })}: figures are of then. Training goes on.`,
    );
  const dot = document.getElementById("live");
  dot.dataset.state = state;
  setText(dot, WORDS[state]);
}

function heard({ kind, text, id }) {
  lastId = id || lastId;
  const data = JSON.parse(text);
  for (const listener of listeners[kind]) listener(data);
}

/** As the window with the stream: to all of them what it hears. */
function tell(message) {
  channel?.postMessage(message);
}

function connect(after) {
  clearTimeout(timer);
  source?.close();
  source = new EventSource(url(`/api/v1/events${after ? `?after=${after}` : ""}`));
  const state = (now) => {
    show(now);
    tell({ state: now });
  };
  source.onopen = () => {
    failures = 0;
    state("live");
  };
  source.onerror = () => {
    // The browser's own retry gives up on some errors: closed here and opened anew with the last id.
    source.close();
    failures += 1;
    state(failures > 3 ? "offline" : "reconnecting");
    timer = setTimeout(() => connect(lastId), RETRY_MS);
    if (failures === 2) offerLogin();
  };
  for (const kind of Object.keys(listeners)) {
    source.addEventListener(kind, ({ data: text, lastEventId: id }) => {
      heard({ kind, text, id });
      tell({ kind, text, id });
    });
  }
}

function disconnect() {
  clearTimeout(timer);
  source?.close();
  source = null;
}

/** Take part: with the stream if no other window has it, else told by the one that has. */
function join() {
  if (!navigator.locks) return connect(lastId); // a page that came over plain http from elsewhere: a stream of its own
  away = new AbortController();
  channel = new BroadcastChannel(NAME);
  channel.onmessage = ({ data }) => {
    if (source) {
      if (data.from !== undefined) welcome(data.from);
    } else if (data.kind) {
      show("live");
      heard(data);
    } else if (data.state) {
      show(data.state);
    }
  };
  channel.postMessage({ from: lastId });
  const stay = () => {
    connect(lastId);
    return new Promise((leave) => away.signal.addEventListener("abort", leave, { once: true }));
  };
  navigator.locks.request(NAME, { signal: away.signal }, stay).catch(() => {}); // left before it was its turn
  return undefined;
}

/** Another window has come, which was told all changes up to that one: what it has missed is told to all again. */
function welcome(from) {
  if (Number(from) < Number(lastId)) connect(from);
  else if (failures === 0) tell({ state: "live" });
  if (counted) tell({ kind: "counts", text: JSON.stringify(counted), id: "" });
}

function leave() {
  disconnect();
  away?.abort();
  channel?.close();
  away = channel = null;
}

/** A stream does not say why it could not be opened: where the session is over, another call does. */
function offerLogin() {
  get("/runs?limit=1").catch((error) => {
    if (error.status !== 401) return;
    const back = encodeURIComponent(location.pathname.slice(root.length) + location.search);
    toast("You are logged out", {
      kind: "bad",
      action: { label: "Log in", run: () => location.assign(url(`/login?next=${back}`)) },
    });
  });
}

/** How many runs are at work and how many wait: an icon and a number each; in words where there are none. */
function showCounts(element, counts) {
  const [atWork, queued] = [counts.running + counts.starting, counts.queued];
  element.title = headline(counts);
  const count = (name, number, words) =>
    number > 0 &&
    el(`span.count.${name}`, {}, icon(name), integer(number), el("span.visually-hidden", {}, ` ${words}`));
  const none = atWork + queued === 0 && el("span.in-words", {}, headline(counts));
  element.replaceChildren(
    ...[count("running", atWork, "running"), count("queued", queued, "queued"), none].filter(Boolean),
  );
}

/** Begin; frame.js does. Listeners may still come. */
export function start() {
  on("counts", (counts) => {
    counted = counts;
    showCounts(document.getElementById("counts"), counts);
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) leave();
    else if (!away && !source) join();
  });
  addEventListener("pagehide", leave);
  addEventListener("pageshow", (event) => event.persisted && !document.hidden && join());
  if (!document.hidden) join();
}

/**
 * Gather calls: run `work` with all that was asked for, at most once every `milliseconds`, never twice at a time.
 * Where the server could not be asked, the same is tried again.
 */
export function gathered(work, milliseconds = 250) {
  let waiting = new Set();
  let due = 0;
  let busy = false;
  const turn = async () => {
    due = 0;
    if (busy) return ask();
    const now = waiting;
    waiting = new Set();
    busy = true;
    try {
      await work(now);
    } catch (error) {
      const refused = error.status >= 400 && error.status < 500; // what was asked for is gone: deleted meanwhile
      if (!refused) {
        console.warn(error);
        for (const item of now) waiting.add(item);
      }
      if (waiting.size) due ||= setTimeout(turn, Math.max(milliseconds, RETRY_MS));
    } finally {
      busy = false;
      if (waiting.size) ask();
    }
  };
  const ask = () => {
    if (!due) due = setTimeout(turn, milliseconds);
  };
  return (item) => {
    waiting.add(item);
    ask();
  };
}
