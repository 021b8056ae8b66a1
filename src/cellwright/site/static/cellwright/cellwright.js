// What a page does by itself: follow the record, take in a scan, ask a security key, leave when nobody is there.
"use strict";
(() => {
  const body = document.body;
  const say = (element, text) => { element.hidden = false; element.textContent = text; };

  // Tones, distinct for right, wrong, not understood. Browsers let them sound once a person has touched the page.
  const tones = { right: [[880, 0.12]], wrong: [[196, 0.18], [147, 0.3]], odd: [[440, 0.08], [440, 0.08]] };
  function tone(name) {
    try {
      const audio = new AudioContext();
      let at = audio.currentTime;
      for (const [pitch, length] of tones[name]) {
        const wave = audio.createOscillator();
        wave.frequency.value = pitch;
        wave.connect(audio.destination);
        wave.start(at);
        wave.stop(at + length);
        at += length + 0.05;
      }
    } catch { /* a page without sound is a page without sound */ }
  }
  const sounding = document.querySelector("[data-tone]");
  if (sounding) tone(sounding.dataset.tone);

  // One act at a time: what was sent is not sent again by a second tap, and what moves meanwhile does not touch it.
  let sent = false;
  addEventListener("submit", (event) => {
    if (event.target.method === "get") return;
    if (sent) { event.preventDefault(); return; }
    sent = true;
    body.classList.add("sent");
    event.submitter?.setAttribute("aria-busy", "true");
  });
  addEventListener("pageshow", () => { sent = false; body.classList.remove("sent"); });

  // On a tablet the pages stand behind one key, so that the patient stays on one line.
  const menu = document.querySelector(".menu-key");
  menu?.addEventListener("click", () => {
    const open = menu.getAttribute("aria-expanded") !== "true";
    menu.setAttribute("aria-expanded", String(open));
    document.getElementById("menu").classList.toggle("open", open);
  });
  addEventListener("keydown", (event) => { if (event.key === "Escape" && menu?.getAttribute("aria-expanded") === "true") menu.click(); });

  // Live: one connection; whatever listens to "moved" fetches its own region again.
  if ("live" in body.dataset) {
    const asked = new URLSearchParams(body.dataset.live.split(" ").filter(Boolean).map((tag) => ["tag", tag]));
    const source = new EventSource("/live?" + asked);
    source.addEventListener("moved", () => body.dispatchEvent(new Event("moved")));
    addEventListener("pagehide", () => source.close());
  }
  body.addEventListener("htmx:configRequest", (event) => { event.detail.headers["X-Live"] = "1"; });

  // A region that is fetched again keeps what its reader did: what was opened or closed, and where the focus was.
  const place = (element) => element.id ? `#${CSS.escape(element.id)}` : element.getAttribute?.("href") ? `[href="${CSS.escape(element.getAttribute("href"))}"]` : "";
  let folds = new Map(), focus = "";
  body.addEventListener("htmx:beforeSwap", (event) => {
    const region = event.detail.target;
    folds = new Map([...region.querySelectorAll("details[id]")].map((one) => [one.id, one.open]));
    focus = region.contains(document.activeElement) ? place(document.activeElement) : "";
  });
  body.addEventListener("htmx:afterSwap", () => {
    for (const [id, open] of folds) { const one = document.getElementById(id); if (one) one.open = open; }
    if (focus) document.querySelector(focus)?.focus({ preventScroll: true });
    folds = new Map();
    focus = "";
  });

  // A page to work at is never fetched under a hand: it says that the record has moved, and is opened again when
  // nothing was typed, chosen or sent here.
  const work = document.querySelector("[data-version]");
  const touched = () => sent || [...document.querySelectorAll("main input:not([type=hidden]), main select, main textarea")].some((one) =>
    one === document.activeElement || (one.tagName === "SELECT" ? one.selectedIndex > 0 : one.value !== one.defaultValue));
  let asking = false;
  if (work) body.addEventListener("moved", async () => {
    if (asking || sent) return;
    asking = true;
    try {
      const answer = await fetch(location.href, { headers: { "X-Live": "1" }, credentials: "same-origin" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const now = page.querySelector("[data-version]");
      if (sent || (now && now.dataset.version === work.dataset.version)) return;
      if (touched()) document.getElementById("stale").hidden = false; else location.reload();
    } catch { /* the connection is away; the next event asks again */ } finally { asking = false; }
  });

  function scanned(text) {
    const form = document.querySelector("form[data-scan]");
    if (sent || !form || !form.reportValidity()) return tone("odd");
    form.elements.scan.value = text;
    tone("right");
    form.requestSubmit();
  }
  window.scanner?.take(scanned);
  addEventListener("click", (event) => {
    const label = event.target.closest?.("[data-code]");
    if (label) scanned(label.dataset.code);
  });

  // Security keys: the challenge is the digest of what will be recorded; the answer goes back as it came.
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  async function post(where, said) {
    const headers = { "Content-Type": "application/json", "X-CSRFToken": body.dataset.csrf };
    const answer = await fetch(where, { method: "POST", headers, body: JSON.stringify(said), credentials: "same-origin" });
    return answer.json();
  }
  async function finish(where, said) {
    const answer = await post(where, said);
    if (!answer.next) throw new Error([answer.refused, answer.remedy].filter(Boolean).join(" "));
    location.assign(answer.next);
  }
  // The browser asks one person at a time: the key that was pressed waits, and can be pressed again when it failed.
  async function ask(key, refusal, how) {
    if (key.disabled) return;
    key.disabled = true;
    try { await how(); } catch (error) { tone("wrong"); say(refusal, error.message); key.disabled = false; }
  }
  for (const key of document.querySelectorAll("[data-sign]")) {
    const refusal = document.getElementById("sign-refused");
    key.addEventListener("click", () => ask(key, refusal, async () => {
      const allowed = key.dataset.keys.split(" ").map((id) => ({ type: "public-key", id: bytes(id) }));
      const publicKey = { challenge: bytes(key.dataset.challenge), rpId: key.dataset.relying, allowCredentials: allowed, userVerification: "required" };
      const found = await navigator.credentials.get({ publicKey });
      const parts = found.response;
      await finish(key.dataset.sign, { credential: found.id, authenticator: text(parts.authenticatorData), client: text(parts.clientDataJSON), signature: text(parts.signature) });
    }));
  }
  const register = document.querySelector("[data-register]");
  register?.addEventListener("click", () => ask(register, document.getElementById("register-refused"), async () => {
    const { relying, person, name, challenge } = register.dataset;
    const publicKey = {
      challenge: bytes(challenge), rp: { id: relying, name: "Cellwright" },
      user: { id: new TextEncoder().encode(person), name: person, displayName: name },
      pubKeyCredParams: [{ type: "public-key", alg: -7 }],
      authenticatorSelection: { userVerification: "required" }, attestation: "none",
    };
    const made = await navigator.credentials.create({ publicKey });
    const parts = made.response;
    await finish(register.dataset.register, { id: made.id, rawId: made.id, type: made.type, response: { clientDataJSON: text(parts.clientDataJSON), attestationObject: text(parts.attestationObject) } });
  }));

  // Nobody there: the server ends the session whatever this page does; here it only shows it at once.
  if (body.dataset.idle) {
    let there = Date.now();
    for (const name of ["pointerdown", "keydown"]) addEventListener(name, () => { there = Date.now(); }, { passive: true });
    setInterval(() => {
      if (Date.now() - there < Number(body.dataset.idle) * 1000) return;
      const form = document.getElementById("leave");
      const cause = document.createElement("input");
      Object.assign(cause, { type: "hidden", name: "cause", value: "idle" });
      form.append(cause);
      form.submit();
    }, 5000);
  }
  body.dataset.ready = "1";
})();
