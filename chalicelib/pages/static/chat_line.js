/* The line between a page and its conversations. Polling is the base, the socket a shortcut (docs/adr/0027-chat.md): what
   a socket loses, doubles or brings late is found by asking again. Nothing is kept in the browser.

   new ChatLine({
     entries: chat => address,      // GET address?seen=n gives {since, last, entries, state, …, socket: {url, pass} | null}
     messages: chat => address,     // POST of id, text, seen and `fields` gives the same
     fields: chat => ({token}),     // what else each POST carries
     by: "visitor" | "advisor",     // whose messages are ours
     told(chat, told, fresh),       // something is known: `fresh` are the entries that were not
     sending(chat, message),        // message {id, text, state: "sending" | "waiting" | "refused", why}
     typing(chat),                  // the other side types
     lists(),                       // a list at the desk changed, or a conversation that is not followed here
     connection(isUp),              // whether the service can be reached; said when it changes
     gone(chat, status),            // the conversation is not ours any more
   })
   A visitor's only conversation is `chat` "". */
"use strict";

class ChatLine {
  static POLL = 3000;
  static POLL_BESIDE_SOCKET = 30000;
  static SLOWER = 10;          // times, in a page that nobody sees
  static CONFIRMED_WITHIN = 5000;
  static TYPING_EVERY = 3000;
  static PING_EVERY = 300000;  // API Gateway ends a connection over which nothing came for ten minutes
  static LONGEST_WAIT = 30000;

  #on; #chats = new Map(); #socket = null; #isOpen = false; #openings = 0; #openAgainAt = 0; #failures = 0; #isUp = true;
  #typedAt = 0; #ping = 0;

  constructor(on) {
    this.#on = {told() {}, sending() {}, typing() {}, lists() {}, connection() {}, gone() {}, ...on};
    addEventListener("online", () => this.#wake());
    addEventListener("offline", () => this.#hangUp());
    document.addEventListener("visibilitychange", () => this.#wake());
  }

  /* From now on we hear of this conversation, of which the page shows the entries up to number `seen`. */
  follow(chat, seen) {
    this.#chats.set(chat, {seen, queue: [], timer: 0, retry: 0, tries: 0});
    this.#poll(chat);
  }

  leave(chat) {
    const it = this.#chats.get(chat);
    if (it) [it.timer, it.retry].forEach(clearTimeout);
    this.#chats.delete(chat);
  }

  /* Send a message, after those that wait; gives its id, under which it comes back. */
  say(chat, text) {
    const id = [...crypto.getRandomValues(new Uint8Array(16))].map(one => one.toString(16).padStart(2, "0")).join("");
    const it = this.#chats.get(chat), message = {id, text, state: "sending", why: ""};
    it.queue.push(message);
    this.#on.sending(chat, {...message});
    if (it.queue.length === 1) this.#send(chat);
    return id;
  }

  typing(chat) {
    if (!this.#isOpen || Date.now() - this.#typedAt < ChatLine.TYPING_EVERY) return;
    this.#typedAt = Date.now();
    this.#frame({do: "typing", ...named(chat)});
  }

  /* Ask for what is new, now. */
  poll() {
    for (const chat of this.#chats.keys()) this.#poll(chat);
  }

  // Polling

  async #poll(chat) {
    const it = this.#chats.get(chat);
    if (!it) return;
    clearTimeout(it.timer);
    it.timer = setTimeout(() => this.#poll(chat), this.#pause());  // also if the answer never comes
    const answer = await this.#fetch(`${this.#on.entries(chat)}?seen=${it.seen}`, {});
    if (!this.#chats.has(chat)) return;
    if (answer && answer.ok) {
      this.#take(chat, answer.told);
      this.#open(answer.told.socket);
    } else if (answer && [401, 403, 404].includes(answer.status)) {
      it.queue.forEach(message => this.#tell(chat, message, "refused", answer.why));
      this.leave(chat);
      this.#on.gone(chat, answer.status);
      return;
    }
    clearTimeout(it.timer);
    it.timer = setTimeout(() => this.#poll(chat), this.#pause());
  }

  #pause() {
    const usual = (this.#isOpen ? ChatLine.POLL_BESIDE_SOCKET : ChatLine.POLL) * (document.hidden ? ChatLine.SLOWER : 1);
    return this.#failures ? Math.max(usual, backOff(this.#failures)) : usual;
  }

  #wake() {
    if (document.hidden) return;
    this.#openAgainAt = 0;
    for (const [chat, it] of this.#chats) {
      this.#poll(chat);
      if (it.retry) this.#send(chat);
    }
  }

  /* What somebody told us, by whichever way. Older than what is known, it is no news. */
  #take(chat, told) {
    const it = this.#chats.get(chat);
    if (!it || told.since > it.seen || told.last < it.seen) return;
    const fresh = told.entries.filter(entry => entry.number > it.seen);
    it.seen = told.last;
    this.#on.told(chat, told, fresh);
    for (const entry of fresh) if (entry.by === this.#on.by) this.#settle(chat, entry.id);
  }

  // Sending: one at a time, so that what was written first is there first

  #send(chat) {
    const it = this.#chats.get(chat), message = it && it.queue[0];
    if (!message) return;
    clearTimeout(it.retry);
    it.retry = 0;
    if (!this.#isOpen || it.tries) return this.#post(chat, message);
    this.#frame({do: "say", id: message.id, text: message.text, ...named(chat)});
    it.retry = setTimeout(() => this.#hangUp(), ChatLine.CONFIRMED_WITHIN);  // a connection may be dead and not know it
  }

  /* The socket brought nothing: the same message by POST, which is there once whatever became of the first. */
  #again(chat) {
    this.#chats.get(chat).tries += 1;
    this.#send(chat);
  }

  async #post(chat, message) {
    const it = this.#chats.get(chat);
    it.tries += 1;
    const body = new URLSearchParams({...this.#on.fields(chat), id: message.id, text: message.text, seen: it.seen});
    const answer = await this.#fetch(this.#on.messages(chat), {method: "POST", body});
    if (!this.#chats.has(chat) || it.queue[0] !== message) return;  // it came back meanwhile
    if (answer && answer.ok) {
      this.#take(chat, answer.told);
      if (it.queue[0] === message) this.#settle(chat, message.id);  // stored, and another way will bring it
    } else if (answer && answer.status < 500 && ![408, 429].includes(answer.status)) {
      this.#settle(chat, message.id, answer.why);
      if ([401, 403, 404].includes(answer.status)) this.#poll(chat);  // whether the conversation is still ours
    } else {
      it.queue.forEach(one => this.#tell(chat, one, "waiting", answer ? answer.why : ""));
      it.retry = setTimeout(() => this.#send(chat), Math.max(backOff(it.tries), answer ? answer.later : 0));
    }
  }

  #settle(chat, id, why) {
    const it = this.#chats.get(chat), at = it.queue.findIndex(one => one.id === id);
    if (at < 0) return;
    const [message] = it.queue.splice(at, 1);
    if (why !== undefined) this.#tell(chat, message, "refused", why);
    if (at) return;
    clearTimeout(it.retry);
    it.retry = it.tries = 0;
    this.#send(chat);
  }

  #tell(chat, message, state, why) {
    Object.assign(message, {state, why});
    this.#on.sending(chat, {...message});
  }

  async #fetch(address, how) {
    const headers = {Accept: "application/json"}, signal = AbortSignal.timeout(15000);
    let answer = null;
    try {
      const came = await fetch(address, {...how, headers, signal, redirect: "error", cache: "no-store"});
      const said = await came.json();
      const why = said.errors ? said.errors[0].message : said.detail || said.title;
      answer = {ok: came.ok, status: came.status, told: said, why, later: 1000 * (came.headers.get("Retry-After") || 0)};
    } catch { /* it did not come, or was cut off */ }
    const worked = Boolean(answer && answer.status < 500);
    this.#failures = worked ? 0 : this.#failures + 1;
    if (worked !== this.#isUp) this.#on.connection(this.#isUp = worked);
    return answer;
  }

  // The socket

  #open(given) {
    if (!given || this.#socket || Date.now() < this.#openAgainAt) return;
    let socket;
    try {
      socket = this.#socket = new WebSocket(given.url);
    } catch {  // the browser does not let us
      this.#openAgainAt = Infinity;
      return;
    }
    const giveUp = setTimeout(() => socket.close(), 10000);
    socket.onopen = () => socket.send(JSON.stringify({do: "open", pass: given.pass, seen: this.#firstSeen()}));
    socket.onmessage = event => {
      clearTimeout(giveUp);
      if (this.#socket === socket) this.#hear(JSON.parse(event.data));
    };
    socket.onclose = () => {
      clearTimeout(giveUp);
      if (this.#socket === socket) this.#lost();
    };
  }

  #firstSeen() {
    const [first] = this.#chats.values();
    return first ? first.seen : 0;
  }

  #hear(frame) {
    if (!this.#isOpen && !frame.refused) {
      this.#isOpen = true;
      this.#openings = 0;
      this.#ping = setInterval(() => this.#frame({do: "ping"}), ChatLine.PING_EVERY);
      this.poll();  // what was said between the poll before and this moment
    }
    const chat = frame.chat || "", it = this.#chats.get(chat);
    if (frame.lists) this.#on.lists();
    else if (frame.refused) this.#refused(frame.id);
    else if (!it) this.#on.lists();
    else if (frame.typing) this.#on.typing(chat);
    else if (frame.since > it.seen) this.#poll(chat);
    else this.#take(chat, frame);
  }

  /* A socket refuses for reasons of its own, too (its two hours are over): POST decides. */
  #refused(id) {
    for (const [chat, it] of this.#chats) if (it.queue[0] && it.queue[0].id === id && !it.tries) this.#again(chat);
  }

  #frame(frame) {
    if (this.#socket && this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame));
  }

  #hangUp() {
    const socket = this.#socket;
    if (!socket) return;
    this.#lost();
    socket.close();
  }

  #lost() {
    clearInterval(this.#ping);
    this.#socket = null;
    this.#isOpen = false;
    this.#openings += 1;
    this.#openAgainAt = Date.now() + backOff(this.#openings);
    this.poll();
    for (const [chat, it] of this.#chats) if (it.queue.length && !it.tries) this.#again(chat);
  }
}

/* Longer each time, and not for all at the same moment. */
function backOff(times) {
  return Math.min(1000 * 2 ** times, ChatLine.LONGEST_WAIT) * (0.5 + Math.random() / 2);
}

function named(chat) {
  return chat ? {chat} : {};
}
