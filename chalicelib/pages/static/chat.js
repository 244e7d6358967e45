/* The visitor's chat where scripts run: what is said comes and goes by itself. Without this the page works, too. Nothing is
   kept in the browser. */
"use strict";

(() => {
  const $ = id => document.getElementById(id);
  const log = $("log"), form = $("write"), box = $("text"), state = $("state"), typing = $("typing");
  if (state.dataset.state === "ended") return;
  const title = document.title, each = (what, do_) => document.querySelectorAll(what).forEach(do_);
  let stopped = 0, unseen = 0;

  const time = at => new Date(at).toLocaleTimeString("en-GB",
    {hour: "numeric", minute: "2-digit", hour12: true, timeZone: "Europe/London"}).replace(/\s/, "");

  function made(model, name, text) {
    const item = $(model).content.firstElementChild.cloneNode(true);
    if (name) item.querySelectorAll("[data-name]").forEach(place => { place.textContent = name; });
    item.querySelectorAll("[data-text]").forEach(place => { place.textContent = text; });
    return item;
  }

  function show(entry) {
    const isMine = entry.by === "visitor", model = `${isMine ? "my" : "their"}-${entry.what}`;
    if (!$(model)) return;  // of a version after this page: the words for the state tell the rest
    const item = made(model, isMine ? "" : entry.name, entry.text);
    Object.assign(item.querySelector("time"), {dateTime: entry.at, textContent: time(entry.at)});
    const isAtEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
    document.querySelector(`[data-unsent="${CSS.escape(entry.id)}"]`)?.remove();
    $("entries").append(item);
    if (isMine || isAtEnd) log.scrollTop = log.scrollHeight;
    if (isMine) return;
    typing.hidden = true;
    $("copy").hidden = $("copy").hidden && entry.what !== "said";
    if (document.hidden) document.title = `(${unseen += 1}) ${title}`;
  }

  function told(chat, it, fresh) {
    fresh.forEach(show);
    if (it.words === undefined) {
      if (it.state !== state.dataset.state) line.poll();  // only a poll has the words for it
      return;
    }
    if (state.textContent !== it.words) state.textContent = it.words;
    state.dataset.state = it.state;
    if (it.state === "ended") end();
  }

  function end() {
    line.leave("");
    each("[data-ended]", part => { part.hidden = false; });
    each("[data-going]", part => { part.hidden = part !== form || !box.value.trim(); });  // what was typed can be copied
    stop();
  }

  function stop() {
    form.querySelectorAll("button").forEach(button => { button.hidden = true; });
    typing.hidden = true;
  }

  function sending(chat, message) {
    let item = document.querySelector(`[data-unsent="${message.id}"]`);
    if (!item) {
      item = made("my-unsent", "", message.text);
      item.dataset.unsent = message.id;
      $("unsent").append(item);
    }
    for (const how of item.querySelectorAll("[data-how]")) {
      how.hidden = how.dataset.how !== message.state;
      how.querySelector("[data-why]")?.replaceChildren(how.hidden ? "" : message.why);
    }
    if (message.state !== "refused" || box.value.trim()) return;
    box.value = message.text;  // to be mended
    item.dataset.back = "";
    item.querySelector("[data-text]").hidden = true;
  }

  function writes() {
    const names = document.querySelectorAll("#entries .chat__entry:not(.chat__entry--mine) [data-name]");
    if (!names.length) return;
    typing.querySelector("[data-name]").textContent = names[names.length - 1].textContent;
    typing.hidden = false;
    clearTimeout(stopped);
    stopped = setTimeout(() => { typing.hidden = true; }, 5000);
  }

  const line = new ChatLine({
    entries: () => log.dataset.entries,
    messages: () => log.dataset.messages,
    fields: () => ({token: form.elements.token.value}),
    by: "visitor",
    told, sending,
    typing: writes,
    connection: isUp => { $("lost").hidden = isUp; },
    gone: () => {
      $("gone").hidden = false;
      state.hidden = true;  // nobody is next any more
      stop();
    },
  });

  form.addEventListener("submit", event => {
    event.preventDefault();
    const text = box.value;
    box.focus();
    if (!text.trim()) return;
    box.value = "";
    each("[data-back]", item => item.remove());
    line.say("", text);
  });
  box.addEventListener("input", () => line.typing(""));
  document.addEventListener("visibilitychange", () => {
    unseen = 0;
    document.title = title;
  });

  $("check").hidden = true;
  log.classList.add("chat--live");
  log.tabIndex = 0;  // it scrolls: the keyboard has to reach it
  log.scrollTop = log.scrollHeight;
  line.follow("", Number(log.dataset.seen));
})();
