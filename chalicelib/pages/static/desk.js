/* What the desk does by itself where scripts run: the clocks go on, the queue renews itself in place, a report that is
   being read stays held, and keys save the way to the mouse. Without it every page works as it is. */
"use strict";

const $ = id => document.getElementById(id);
const MINUTE = 60000;
const TWICE = 3000;  // within which a form that is sent again was meant once
const skew = (() => {  // the clock of the service, not of this machine
  const told = document.querySelector("[data-now]");
  return told ? Date.parse(told.dataset.now) - Date.now() : 0;
})();

function inWords(ms) {
  const minutes = Math.floor(Math.abs(ms) / MINUTE), hours = Math.floor(minutes / 60);
  const length = minutes < 60 ? `${minutes} min`
    : hours < 48 ? `${hours} h ${String(minutes % 60).padStart(2, "0")} min` : `${Math.floor(hours / 24)} days`;
  return `${length} ${ms < 0 ? "late" : "left"}`;
}

function tick() {
  for (const clock of document.querySelectorAll("[data-deadline]")) {
    const left = Date.parse(clock.dataset.deadline) - Date.now() - skew;
    const urgency = left < 0 ? "late" : left <= 120 * MINUTE ? "soon" : left <= 360 * MINUTE ? "near" : "calm";
    clock.textContent = inWords(left);
    clock.className = `clock clock--${urgency}`;
  }
}

/* The queue, asked for again: what was ticked stays ticked, and the focus stays where it was. */
async function renewQueue() {
  const there = $("queue");
  if (!there || document.hidden) return;
  const answer = await fetch(there.dataset.from, {credentials: "same-origin", redirect: "error"}).catch(() => null);
  if (answer && answer.status === 401) location.reload();  // the session is over: a list that stands still would not say so
  if (!answer || !answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("queue");
  if (!fresh) return;
  const ticked = [...document.querySelectorAll(".choose:checked")], at = document.activeElement.id;
  there.replaceChildren(...fresh.childNodes);
  for (const {id, value} of ticked) if ($(id)) Object.assign($(id), {checked: true, value});  // the version that was seen
  if (at && at !== document.activeElement.id && $(at)) $(at).focus({preventScroll: true});
  tick();
}

/* A report that is open and seen stays held by who holds it. */
async function renewLease(place) {
  if (document.hidden) return;
  const token = document.querySelector("input[name=token]").value;
  const answer = await fetch(place.dataset.lease, {
    method: "POST", credentials: "same-origin", redirect: "error", body: new URLSearchParams({token}),
  }).catch(() => null);
  const until = answer && answer.ok ? (await answer.json()).until : undefined;
  if (until === null) place.textContent = "now no longer: somebody else may have taken it";
  if (until) {
    place.textContent = new Date(until).toLocaleTimeString("en-GB",
      {hour: "numeric", minute: "2-digit", hour12: true, timeZone: "Europe/London"}).replace(/\s/, "");
  }
}

const links = () => [...document.querySelectorAll(".reports__link")];

function move(step) {
  const all = links(), at = all.indexOf(document.activeElement), next = all[at < 0 ? 0 : at + step];
  if (next) next.focus();
}

const keys = {
  j: () => move(1),
  k: () => move(-1),
  n: () => $("next")?.click(),
  r: () => renewQueue(),
  "/": () => $("search")?.focus(),
  x: () => document.activeElement.closest("tr")?.querySelector(".choose")?.click(),
};

/* A second click on the same button is no second call-back, and no second "next". */
let sent = {};

function onSubmit(event) {
  if (event.target.method !== "post") return;
  const {target: form, submitter: button} = event;
  const twice = sent.form === form && sent.button === button && event.timeStamp - sent.at < TWICE;
  if (twice) event.preventDefault();
  else sent = {form, button, at: event.timeStamp};
}

function onKey(event) {
  const typing = event.target.closest("input:not([type=checkbox]), textarea, select");
  if (typing || event.repeat || event.ctrlKey || event.metaKey || event.altKey || localStorage.getItem("keys") === "off") return;
  const act = keys[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

function sayKeys() {
  if ($("keys-off")) $("keys-off").textContent = localStorage.getItem("keys") === "off" ? "switched on" : "switched off";
}

document.addEventListener("submit", onSubmit);
document.addEventListener("keydown", onKey);
$("keys-off")?.addEventListener("click", () => {
  localStorage.setItem("keys", localStorage.getItem("keys") === "off" ? "on" : "off");
  sayKeys();
});
sayKeys();
setInterval(tick, MINUTE / 4);
const queue = $("queue");
if (queue) setInterval(renewQueue, Number(queue.dataset.fresh) * 1000);
const lease = document.querySelector("[data-lease]");
if (lease) {
  renewLease(lease);
  setInterval(() => renewLease(lease), 4 * MINUTE);
}
