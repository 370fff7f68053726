// The log's tail, read on from where it ended.

import { setText } from "../../dom.js";
import { ENDED } from "../../format.js";
import { gathered } from "../../live.js";
import { query, url } from "../../model/address.js";
import { byId, id, state } from "./state.js";

const log = { attempt: 0, end: 0 };

/** The log's tail, read on from where it ended; a new attempt begins a new log. */
export async function showLog() {
  const attempt = state.run.attempts.length;
  const anew = attempt !== log.attempt || !log.end;
  const answer = await fetch(url(`/api/v1/runs/${id}/log${query({ after: anew ? null : log.end })}`));
  if (!answer.ok) return;
  const box = byId("log");
  const atEnd = box.scrollTop + box.clientHeight >= box.scrollHeight - 8;
  const text = await answer.text();
  if (anew) setText(box, text || "Nothing yet: the log begins when a worker starts.");
  else if (text) box.append(text);
  Object.assign(log, { attempt, end: Number(answer.headers.get("Runyard-Log-End")) });
  setText(byId("log-state"), ENDED.includes(state.run.status) ? "ended" : "following");
  if (atEnd) box.scrollTop = box.scrollHeight;
}

export const follow = gathered(showLog, 500);
