/* The live chat at the desk, where scripts run: new messages appear in their columns, the list of who waits renews itself,
   and what is typed is sent without leaving the page. Nothing typed is ever thrown away, and the focus stays where it is.
   Without it the page works as it is. `chat_line.js` brings and sends; desk.js is there too. */
"use strict";

{
  const FOCUSABLE = "a, button, summary, select, textarea, [tabindex]";
  const LISTS = 5000, SLOWER = 6, TYPES_FOR = 6000;
  const form = $("talks"), columns = $("columns"), title = document.title;
  let isLeaving = false, listed = "";

  const talkOf = chat => $(`chat-${chat}`);
  const talks = () => [...columns.querySelectorAll("[data-chat]")];
  const boxes = () => [...form.querySelectorAll("textarea")];
  const pending = () => [...form.querySelectorAll(".line--pending")];
  const say = words => { $("heard").textContent = words; };

  function made(tag, properties, ...inside) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...inside);
    return element;
  }

  function clock(at) {
    const words = new Date(at).toLocaleTimeString("en-GB", {hour: "numeric", minute: "2-digit", hour12: true, timeZone: "Europe/London"});
    return made("time", {dateTime: at}, words.replace(/\s/, "").toLowerCase());
  }

  // What is said

  function lineOf({number, what, by, name, at, text, facts}) {
    const isNote = what === "noted";
    const line = made("li", {className: `line line--${isNote ? "note" : by}`},
      made("p", {className: "line__head"}, made("strong", {}, (isNote ? "Private note, " : "") + name), " ", clock(at)),
      made("p", {className: "line__text as-typed"}, text));
    line.dataset.number = number;
    if (facts && facts.reasons) line.append(made("p", {className: "line__reasons"}, facts.reasons.join("; ")));
    return line;
  }

  function told(chat, news, fresh) {
    const talk = talkOf(chat);
    if (!talk) return;
    const lines = talk.querySelector(".talk__lines");
    for (const entry of fresh) {
      lines.querySelector(`[data-sent="${CSS.escape(entry.id)}"]`)?.remove();
      if (["said", "noted"].includes(entry.what) && !lines.querySelector(`[data-number="${entry.number}"]`)) {
        const before = lines.querySelector(".line--pending");
        lines.insertBefore(lineOf(entry), before);
      }
      if (entry.by === "visitor") talk.querySelector("[data-typing]")?.replaceChildren("\u00a0");
    }
    talk.dataset.last = news.last;
    if (news.here !== undefined && news.here !== null) showHere(talk, news.here);
    if (fresh.some(entry => entry.by === "visitor") && !isRead(talk)) markUnread(talk);
    if (fresh.some(changes)) renewColumns([chat]);
  }

  /* Whether an entry changes more of its column than what was said. */
  function changes(entry) {
    return !["said", "noted"].includes(entry.what) || Boolean(entry.facts && entry.facts.reasons);
  }

  function showHere(talk, isHere) {
    const place = talk.querySelector("[data-here]"), words = isHere ? "connected" : "may be away";  // they may be polling
    if (!place || place.textContent.trim() === words) return;
    place.replaceChildren(made("strong", {className: `tag tag--${isHere ? "here" : "left"}`}, words));
  }

  function sending(chat, message) {
    const talk = talkOf(chat);
    if (!talk) return;
    let line = talk.querySelector(`[data-sent="${message.id}"]`);
    if (message.state === "refused") {
      line?.remove();
      giveBack(talk, message);
      return;
    }
    if (!line) {
      line = made("li", {className: "line line--advisor line--pending"},
        made("p", {className: "line__head"}), made("p", {className: "line__text as-typed"}, message.text));
      line.dataset.sent = message.id;
      talk.querySelector(".talk__lines").append(line);
    }
    const head = line.querySelector(".line__head"), words = message.state === "waiting" ? "Not sent yet, trying again …" : "Sending …";
    if (head.textContent !== words) head.textContent = words;
  }

  /* What could not be sent goes back into its box, before what has been typed since. */
  function giveBack(talk, {text, why}) {
    const box = talk.querySelector("[data-say]");
    if (box) box.value = box.value.trim() ? `${text}\n${box.value}` : text;
    else talk.append(unsent(text));
    refuse(talk, why || "It could not be sent. Try again.");
  }

  function unsent(text) {
    return made("div", {className: "alert"}, "What you typed has not been sent:", made("p", {className: "as-typed"}, text));
  }

  function refuse(talk, why) {
    const place = talk.querySelector("[data-refused]");
    if (place) place.textContent = why;
    else say(why);
  }

  function typing(chat) {
    const talk = talkOf(chat), place = talk && talk.querySelector("[data-typing]");
    if (!place) return;
    place.textContent = `${talk.querySelector(".talk__name").textContent} is typing …`;
    clearTimeout(place.until);
    place.until = setTimeout(() => place.replaceChildren("\u00a0"), TYPES_FOR);
  }

  // Unread

  const isRead = talk => !document.hidden && document.hasFocus() && talk.contains(document.activeElement);

  function markUnread(talk) {
    if (!talk.querySelector(".tag--new")) {
      talk.querySelector(".talk__head").append(made("strong", {className: "tag tag--new"}, "new"));
    }
    showCount();
  }

  function read(event) {
    event.target.closest?.("[data-chat]")?.querySelector(".tag--new")?.remove();
    showCount();
  }

  function showCount() {
    const count = form.querySelectorAll(".tag--new").length + $("lists").querySelectorAll("[data-answer-by]").length;
    document.title = count ? `(${count}) ${title}` : title;
  }

  // The columns, as the service shows them

  async function page(address, accept) {
    const answer = await fetch(address, {headers: {Accept: accept}, redirect: "error", cache: "no-store"}).catch(() => null);
    if (answer && answer.status === 401) signedOut();
    return answer && answer.ok ? answer : null;
  }

  async function renewColumns(chats) {
    const answer = await page(`${form.action}?chat=${chats[0]}`, "text/html");
    if (!answer) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const chat of chats) {
      const now = fresh.getElementById(`chat-${chat}`), before = talkOf(chat);
      if (before && now) replace(before, now);
      else if (now) add(now);
      else if (before) gone(chat, 404);
    }
    tick();
  }

  function add(talk) {
    columns.append(talk);
    $("none").hidden = true;
    line.follow(talk.dataset.chat, Number(talk.dataset.last));
    markUnread(talk);
    say(`${talk.querySelector(".talk__name").textContent} is now with you`);
  }

  /* What was typed or chosen, what is open, what is on its way and where the focus is stay as they are. */
  function replace(before, now) {
    const at = document.activeElement, isAt = before.contains(at), {selectionStart, selectionEnd} = at;
    const top = before.querySelector(".talk__scroll").scrollTop;
    const fields = [...before.querySelectorAll("textarea, select")].map(({id, value}) => [id, value]);
    const open = [...before.querySelectorAll("details")].filter(one => one.open).map(one => one.dataset.more);
    const waiting = [...before.querySelectorAll(".line--pending")], isNew = before.querySelector(".tag--new");
    before.className = now.className;
    Object.assign(before.dataset, {state: now.dataset.state});
    before.replaceChildren(...now.childNodes);
    for (const [id, value] of fields) {
      if ($(id)) $(id).value = value;
      else if (value.trim() && id.startsWith("text-")) before.append(unsent(value));
    }
    for (const one of before.querySelectorAll("details")) one.open ||= open.includes(one.dataset.more);
    before.querySelector(".talk__lines").append(...waiting);
    if (isNew) before.querySelector(".talk__head").append(isNew);
    before.querySelector(".talk__scroll").scrollTop = top;
    const same = isAt && [...before.querySelectorAll(FOCUSABLE)].find(one => keyOf(one) === keyOf(at));
    if (!same) return;
    same.focus({preventScroll: true});
    if (same.matches("textarea")) Object.assign(same, {selectionStart, selectionEnd});
  }

  function keyOf(one) {
    return `${one.tagName} ${one.id || one.getAttribute("value") || one.getAttribute("aria-label") || one.textContent}`;
  }

  function gone(chat, status) {
    const talk = talkOf(chat);
    if (status === 401) signedOut();
    if (!talk || status === 401 || talk.classList.contains("talk--gone")) return;
    line.leave(chat);
    for (const one of talk.querySelectorAll(".line--pending")) {
      one.remove();
      giveBack(talk, {text: one.querySelector(".line__text").textContent, why: "This may not have been sent."});
    }
    const close = made("button", {type: "button", className: "govuk-button govuk-button--secondary talk__button"}, "Close");
    close.addEventListener("click", () => { talk.remove(); showCount(); $("none").hidden = talks().length > 0; });
    talk.classList.add("talk--gone");
    talk.prepend(made("div", {className: "alert"},
      "You do not have this conversation any more: it is concluded, or somebody else goes on with it. ",
      made("a", {className: "govuk-link", href: `${form.action}/${chat}`}, "See it"), " ", close));
    say(`You do not have the conversation with ${talk.querySelector(".talk__name").textContent} any more`);
  }

  function signedOut() {
    if (!boxes().some(box => box.value.trim()) && !pending().length) location.reload();
    else showOffline("Your session is over. Copy what you have typed, then sign in again in another tab and reload this page.");
  }

  function showOffline(words) {
    $("offline").textContent = words;
    $("offline").hidden = !words;
  }

  // The list of who waits

  async function renewLists() {
    const answer = await page(`${form.action}/lists`, "application/json");
    if (!answer) return;
    const {lists, mine} = await answer.json();
    const same = lists.replace(/<time[^]*?<\/time>/g, "");
    if (same !== listed) showLists(lists);
    listed = same;
    const unknown = mine.filter(chat => !talkOf(chat));
    if (unknown.length) await renewColumns(unknown);
  }

  function showLists(html) {
    const there = $("lists"), at = there.contains(document.activeElement) ? document.activeElement.value : "";
    const before = there.querySelectorAll("[data-answer-by]").length;
    there.innerHTML = html;
    const after = there.querySelectorAll("[data-answer-by]").length;
    if (at) (there.querySelector(`button[value="${CSS.escape(at)}"]`) || there).focus({preventScroll: true});
    if (after > before) say(after === 1 ? "1 person waits" : `${after} people wait`);
    tickPromises();
    showCount();
  }

  /* As pages/desk_chats.py says it. */
  function tickPromises() {
    for (const clock of document.querySelectorAll("[data-answer-by]")) {
      const left = Math.trunc((Date.parse(clock.dataset.answerBy) - Date.now() - skew) / 1000), seconds = Math.abs(left);
      const minutes = Math.floor(seconds / 60);
      const length = seconds < 60 ? `${seconds} s` : seconds < 600 ? `${minutes} min ${String(seconds % 60).padStart(2, "0")} s`
        : seconds < 7200 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`;
      clock.textContent = `${length} ${left < 0 ? "late" : "left"}`;
      clock.className = `clock clock--${left < 0 ? "late" : left <= 60 ? "near" : "calm"}`;
    }
  }

  // What the advisor does

  function onSend(event) {
    const [move, chat] = (event.submitter?.value || "").split(".");
    if (move === "say") {
      event.preventDefault();
      send(talkOf(chat));
    } else if (move === "look") {
      event.preventDefault();
      line.poll();
      renewLists();
    } else if (pending().length) {
      event.preventDefault();
      say("A message is still being sent. Press again in a moment.");
    } else if (!event.defaultPrevented) {
      isLeaving = true;
      setTimeout(() => { isLeaving = false; }, TWICE);
    }
  }

  function send(talk) {
    const box = talk.querySelector("[data-say]"), reply = talk.querySelector("[data-reply]");
    const text = box.value.trim() || reply.selectedOptions[0].dataset.words || "";
    const isGone = talk.classList.contains("talk--gone");
    refuse(talk, isGone ? "You do not have this conversation any more." : text ? "" : "Write a message, or choose a reply");
    if (isGone || !text) return;
    box.value = reply.value = "";
    delete box.dataset.inserted;
    line.say(talk.dataset.chat, text);
  }

  /* A reply that is chosen goes into the box; another one, chosen after it, takes its place. */
  function insert(reply) {
    const box = reply.closest("[data-chat]").querySelector("[data-say]");
    const words = reply.selectedOptions[0].dataset.words || "", last = box.dataset.inserted || "";
    const typed = last && box.value.endsWith(last) ? box.value.slice(0, -last.length) : box.value;
    box.value = words && typed.trim() && !typed.endsWith("\n") ? `${typed}\n${words}` : `${typed}${words}`;
    box.dataset.inserted = words;
  }

  const line = new ChatLine({
    by: "advisor",
    entries: chat => `${form.action}/${chat}/entries`,
    messages: chat => `${form.action}/${chat}/messages`,
    fields: () => ({token: form.elements.token.value}),
    told, sending, typing, gone,
    lists: renewLists,
    connection: isUp => showOffline(isUp ? "" : "There is no connection. What you send is kept here, and goes when it is back."),
  });

  form.addEventListener("submit", onSend);
  form.addEventListener("input", event => {
    if (event.target.matches("[data-say]")) line.typing(event.target.closest("[data-chat]").dataset.chat);
  });
  form.addEventListener("change", event => { if (event.target.matches("[data-reply]")) insert(event.target); });
  form.addEventListener("keydown", event => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("[data-say]")) {
      event.preventDefault();
      send(event.target.closest("[data-chat]"));
    }
  });
  form.addEventListener("focusin", read);
  form.addEventListener("pointerdown", read);
  addEventListener("beforeunload", event => {
    if (!isLeaving && (pending().length || boxes().some(box => box.value.trim()))) event.preventDefault();
  });
  for (const talk of talks()) line.follow(talk.dataset.chat, Number(talk.dataset.last));
  let turn = 0;
  setInterval(() => { if (!document.hidden || turn++ % SLOWER === 0) renewLists(); }, LISTS);
  setInterval(tickPromises, 1000);
  renewLists();
}
