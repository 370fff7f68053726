// Numbers, durations and dates as people read them. Pure functions: no DOM, no fetch.

const DASH = "–";

/** 12345 -> "12,345" */
export const integer = (value) => (value == null ? DASH : Math.round(value).toLocaleString("en-US"));

/** 0.8683 -> "86.83%"; accuracy is a fraction in the API and a percentage on a page. */
export const percent = (value, digits = 2) => (value == null ? DASH : `${(value * 100).toFixed(digits)}%`);

/** 0.0123456 -> "0.0123": as many significant digits. */
export const significant = (value, digits = 3) => String(Number(value.toPrecision(digits)));

/** A loss: four decimals, scientific where those would say nothing. */
export function loss(value) {
  if (value == null) return DASH;
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(2) : value.toFixed(4);
}

/** A difference of accuracies, as points with their sign: -0.129 -> "−12.90" */
export function points(value) {
  if (value == null) return DASH;
  const figure = Math.abs(value * 100).toFixed(2);
  return `${value < 0 && figure !== "0.00" ? "−" : "+"}${figure}`;
}

/** Seconds -> "0.4 s", "42 s", "3 min 7 s", "1 h 2 min", "2 d 3 h" */
export function duration(seconds) {
  if (seconds == null || !Number.isFinite(seconds)) return DASH;
  if (seconds < 9.95) return `${Math.max(0, seconds).toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 2880) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`;
}

/** Seconds, where only their size counts: "50 s", "8 min", "15 h" */
export function roughly(seconds) {
  if (seconds < 95) return `${Math.max(5, Math.round(seconds / 5) * 5)} s`;
  if (seconds < 5700) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

/** Bytes -> "1.2 GB" (decimal, as disks are sold) */
export function bytes(value) {
  if (value == null) return DASH;
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** ISO time -> "3 s ago", "5 min ago", "3 h ago", "yesterday", "14 Mar 2026" in the reader's time zone */
export function ago(iso, now = Date.now()) {
  if (!iso) return DASH;
  const then = new Date(iso);
  const seconds = Math.max(0, Math.round((now - then.getTime()) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3570) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.round(seconds / 3600)} h ago`;
  if (seconds < 172_800) return "yesterday";
  return then.toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
}

/** ISO time -> "2026-03-14 09:26:53" in the reader's time zone, for titles and tables */
export function moment(iso) {
  if (!iso) return DASH;
  const date = new Date(iso);
  const two = (value) => String(value).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** Seconds of training so far, no queue and no pause; null before it began. */
export const elapsed = (run) => (run.started_at ? run.seconds : null);

/** plural(1, "run") -> "1 run", plural(12, "run") -> "12 runs" */
export const plural = (count, noun) => `${integer(count)} ${noun}${count === 1 ? "" : "s"}`;

export const STATUSES = ["running", "queued", "succeeded", "failed", "stopped", "paused", "lost"];
/** Nothing goes on, for now. */
export const ENDED = ["succeeded", "failed", "stopped", "paused", "lost"];
/** Ended for good without a result. */
export const GONE = ["failed", "lost", "stopped"];
export const RESUMABLE = ["paused", "failed", "stopped", "lost"];
/** "run 1 is failed" -> "Run 1 is failed" */
export const capital = (word) => word[0].toUpperCase() + word.slice(1);

/** What a run is doing, requests that are under way included. */
export function activity(run) {
  if (["starting", "running"].includes(run.status)) {
    if (run.stop_requested) return "Stopping";
    if (run.pause_requested) return "Pausing";
    if (!run.responding) return "Not responding";
  }
  return capital(run.status);
}

/** {running: 2, queued: 6} -> "2 running, 6 queued" */
export function headline(counts) {
  const atWork = counts.running + counts.starting;
  const parts = [atWork && `${integer(atWork)} running`, counts.queued && `${integer(counts.queued)} queued`];
  const said = parts.filter(Boolean).join(", ");
  if (said) return said;
  return Object.values(counts).some(Boolean) ? "Nothing running" : "No runs yet";
}

/** Rows as CSV; text that a spreadsheet would take for a formula stays text. */
export function csvOf(rows) {
  const cell = (value) => {
    if (value == null) return "";
    const text = typeof value === "string" && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return rows.map((row) => `${row.map(cell).join(",")}\n`).join("");
}
