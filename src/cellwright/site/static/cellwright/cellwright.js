// What a page does by itself: follow the record, take in a scanner, ask a security key, leave when nobody is there.
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

  // Live: one connection; whatever listens to "moved" fetches its own region again.
  if ("live" in body.dataset) {
    const asked = new URLSearchParams(body.dataset.live.split(" ").filter(Boolean).map((tag) => ["tag", tag]));
    const source = new EventSource("/live?" + asked);
    source.addEventListener("moved", () => body.dispatchEvent(new Event("moved")));
    addEventListener("pagehide", () => source.close());
  }
  body.addEventListener("htmx:configRequest", (event) => { event.detail.headers["X-Live"] = "1"; });

  // A scanner is a fast keyboard: keys less than 60 ms apart, ended by Enter, wherever the focus is.
  const GAP = 60, LEAST = 6, AGAIN = 2000;
  let buffer = "", last = 0, former = { text: "", at: 0 };
  addEventListener("keydown", (event) => {
    const now = event.timeStamp;
    if (now - last > GAP) buffer = "";
    last = now;
    if (event.key === "Enter" && buffer.length >= LEAST) {
      event.preventDefault();
      event.stopPropagation();
      const text = buffer;
      buffer = "";
      if (text !== former.text || now - former.at > AGAIN) { former = { text, at: now }; scanned(text); }
    } else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) {
      buffer += event.key;
      if (buffer.length > 512) buffer = "";
      if (buffer.length >= 3 && event.target.matches?.("input")) {
        event.preventDefault();
        if (buffer.length === 3) event.target.value = event.target.value.slice(0, -2);
      }
    }
  }, { capture: true });
  function scanned(text) {
    const form = document.querySelector("form[data-scan]");
    if (!form) return tone("odd");
    if (!form.reportValidity()) return tone("odd");
    form.elements.scan.value = text;
    tone("right");
    form.requestSubmit();
  }
  for (const label of document.querySelectorAll("[data-code]")) label.addEventListener("click", () => scanned(label.dataset.code));

  // Security keys: the challenge is the digest of what will be recorded; the answer goes back as it came.
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  async function post(where, said) {
    const headers = { "Content-Type": "application/json", "X-CSRFToken": body.dataset.csrf };
    const answer = await fetch(where, { method: "POST", headers, body: JSON.stringify(said), credentials: "same-origin" });
    return answer.json();
  }
  async function finish(where, said, refusal) {
    const answer = await post(where, said);
    if (answer.next) location.assign(answer.next);
    else { tone("wrong"); say(refusal, [answer.refused, answer.remedy].filter(Boolean).join(" ")); }
  }
  for (const key of document.querySelectorAll("[data-sign]")) {
    key.addEventListener("click", async () => {
      const refusal = document.getElementById("sign-refused");
      try {
        const allowed = key.dataset.keys.split(" ").map((id) => ({ type: "public-key", id: bytes(id) }));
        const publicKey = { challenge: bytes(key.dataset.challenge), rpId: key.dataset.relying, allowCredentials: allowed, userVerification: "required" };
        const found = await navigator.credentials.get({ publicKey });
        const parts = found.response;
        await finish(key.dataset.sign, { credential: found.id, authenticator: text(parts.authenticatorData), client: text(parts.clientDataJSON), signature: text(parts.signature) }, refusal);
      } catch (error) { tone("wrong"); say(refusal, error.message); }
    });
  }
  const register = document.querySelector("[data-register]");
  register?.addEventListener("click", async () => {
    const refusal = document.getElementById("register-refused");
    try {
      const { relying, person, name, challenge } = register.dataset;
      const publicKey = {
        challenge: bytes(challenge), rp: { id: relying, name: "Cellwright" },
        user: { id: new TextEncoder().encode(person), name: person, displayName: name },
        pubKeyCredParams: [{ type: "public-key", alg: -7 }],
        authenticatorSelection: { userVerification: "required" }, attestation: "none",
      };
      const made = await navigator.credentials.create({ publicKey });
      const parts = made.response;
      await finish(register.dataset.register, { id: made.id, rawId: made.id, type: made.type, response: { clientDataJSON: text(parts.clientDataJSON), attestationObject: text(parts.attestationObject) } }, refusal);
    } catch (error) { tone("wrong"); say(refusal, error.message); }
  });

  // Nobody there: the server ends the session whatever this page does; here it only shows it at once.
  if (body.dataset.idle) {
    let touched = Date.now();
    for (const name of ["pointerdown", "keydown"]) addEventListener(name, () => { touched = Date.now(); }, { passive: true });
    setInterval(() => {
      if (Date.now() - touched < Number(body.dataset.idle) * 1000) return;
      const form = document.getElementById("leave");
      const cause = document.createElement("input");
      Object.assign(cause, { type: "hidden", name: "cause", value: "idle" });
      form.append(cause);
      form.submit();
    }, 5000);
  }
})();
