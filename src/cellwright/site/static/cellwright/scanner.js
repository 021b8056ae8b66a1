// A scanner is a fast keyboard: keys less than 60 ms apart, ended by Enter, wherever the focus is. This file is read
// before anything of the page is shown, so that no scan is lost while the rest still loads; `scanner.take` gets the
// scans that came meanwhile, and every later one.
"use strict";
(() => {
  const GAP = 60, LEAST = 6, MOST = 512, AGAIN = 2000;
  const early = [];
  let taker = null, buffer = "", last = 0, former = { text: "", at: -AGAIN };
  addEventListener("keydown", (event) => {
    const now = event.timeStamp;
    if (now - last > GAP) buffer = "";
    last = now;
    if (event.key === "Enter" && buffer.length >= LEAST) {
      event.preventDefault();
      event.stopPropagation();
      const text = buffer;
      buffer = "";
      if (text === former.text && now - former.at <= AGAIN) return;
      former = { text, at: now };
      if (taker) taker(text); else early.push(text);
    } else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) {
      buffer += event.key;
      if (buffer.length > MOST) buffer = "";
      if (buffer.length >= 3 && event.target.matches?.("input")) {
        event.preventDefault();
        if (buffer.length === 3) event.target.value = event.target.value.slice(0, -2);
      }
    }
  }, { capture: true });
  window.scanner = { take(given) { taker = given; early.splice(0).forEach(given); } };
})();
