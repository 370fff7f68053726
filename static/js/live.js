// The page's one live stream: what changed, by event. A hidden tab closes it and comes back with its last id.

import { get } from "./api.js";
import { setText, toast } from "./dom.js";
import { headline } from "./format.js";

const RETRY_MS = 2000;
const WORDS = { live: "Live", reconnecting: "Reconnecting", offline: "Offline" };

let source = null;
let lastId = document.body.dataset.change ?? ""; // what this page was made at: whatever came after is told
let timer = 0;
let failures = 0;
let counted = null;
const listeners = { run: [], deleted: [], counts: [] };

/** on("run", ({run, status, step}) => …); kinds: run, deleted, counts. */
export function on(kind, listener) {
  listeners[kind].push(listener);
  // told before this page's module was there: told again, once that module is whole
  if (kind === "counts" && counted) queueMicrotask(() => listener(counted));
}

function show(state) {
  const dot = document.getElementById("live");
  dot.dataset.state = state;
  setText(dot, WORDS[state]);
}

function connect() {
  clearTimeout(timer);
  source?.close();
  source = new EventSource(`/api/v1/events${lastId ? `?after=${lastId}` : ""}`);
  source.onopen = () => {
    failures = 0;
    show("live");
  };
  source.onerror = () => {
    // The browser's own retry gives up on some errors: closed here and opened anew with the last id.
    source.close();
    failures += 1;
    show(failures > 3 ? "offline" : "reconnecting");
    timer = setTimeout(connect, RETRY_MS);
    if (failures === 2) offerLogin();
  };
  for (const [kind, called] of Object.entries(listeners)) {
    source.addEventListener(kind, (event) => {
      lastId = event.lastEventId || lastId;
      const data = JSON.parse(event.data);
      for (const listener of called) listener(data);
    });
  }
}

/** A stream does not say why it could not be opened: where the session is over, another call does. */
function offerLogin() {
  get("/runs?limit=1").catch((error) => {
    if (error.status !== 401) return;
    const back = encodeURIComponent(location.pathname + location.search);
    toast("You are logged out", { kind: "bad", action: { label: "Log in", run: () => location.assign(`/login?next=${back}`) } });
  });
}

/** Begin; frame.js does. Listeners may still come. */
export function start() {
  on("counts", (counts) => {
    counted = counts;
    setText(document.getElementById("counts"), headline(counts));
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      clearTimeout(timer);
      source?.close();
      source = null;
    } else if (!source) {
      connect();
    }
  });
  addEventListener("pagehide", () => source?.close());
  if (!document.hidden) connect();
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
