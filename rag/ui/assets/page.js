() => {
  const words = /* words */ {};
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const behavior = calm ? "auto" : "smooth";

  // Gradio sets the language of the browser; the page has its own.
  const root = document.documentElement;
  const speak = () => root.lang !== words.language && (root.lang = words.language);
  speak();
  new MutationObserver(speak).observe(root, { attributes: true, attributeFilter: ["lang"] });

  // Of a refused request Gradio shows a bare "error": say why, and that a reload asks for the login again.
  const fetched = window.fetch;
  window.fetch = async (...request) => {
    const answer = await fetched(...request);
    if ((answer.status === 401 || answer.status === 429) && String(request[0]?.url ?? request[0]).includes("/gradio_api/")) {
      const hint = document.querySelector("#hint");
      if (hint) {
        hint.style.display = "block";
        hint.innerHTML = '<p role="alert"></p>';
        hint.firstChild.textContent = answer.status === 401 ? words.ended : words.busy;
      }
    }
    return answer;
  };

  // Gradio labels each bubble with its raw markdown, which a screen reader would read out instead of the text.
  const label = () => {
    for (const role of ["user", "bot"]) {
      for (const bubble of document.querySelectorAll(`#chat [data-testid="${role}"]`)) {
        if (bubble.getAttribute("aria-label") !== words[role]) {
          bubble.setAttribute("role", "group");
          bubble.setAttribute("aria-label", words[role]);
        }
      }
    }
    const log = document.querySelector('#chat [role="log"]');
    if (log && log.getAttribute("aria-label") !== words.log) log.setAttribute("aria-label", words.log);
    const down = document.querySelector("#chat .scroll-down-button-container button");
    if (down && down.getAttribute("aria-label") !== words.down) {
      down.setAttribute("aria-label", words.down);
      down.title = words.down;
    }
  };
  new MutationObserver(label).observe(document.body, {
    subtree: true, childList: true, attributes: true, attributeFilter: ["aria-label"],
  });
  label();

  // The end of an answer is followed until its question is at the top, so that it is read from there; after a tall question
  // the answer has half of the height. Gradio follows to the very end: its own is off. Whoever moves is left alone.
  // An answer begins with its stop button or its question: a retried question is not new, and a slow browser may not draw the button.
  let answering = false;
  let asked = "";
  let following = false;
  const begins = () => {
    const before = [answering, asked];
    const questions = document.querySelectorAll('#chat [data-testid="user"]');
    answering = Boolean(document.querySelector("#stop"));
    asked = questions.length ? questions.length + questions[questions.length - 1].textContent : "";
    return (answering && !before[0]) || (asked && asked !== before[1]);
  };
  const follow = () => {
    if (begins()) {
      following = true;
      document.querySelector("#talk").scrollIntoView({ behavior, block: "nearest" });  // a phone may show the sources
    }
    const log = document.querySelector('#chat [role="log"]');
    if (!following || !log) return;
    const from = (role) => {
      const last = [...log.querySelectorAll(`[data-testid="${role}"]`)].pop();
      return last ? last.getBoundingClientRect().top - log.getBoundingClientRect().top + log.scrollTop : 0;
    };
    log.scrollTop = Math.max(from("user") - 16, from("bot") - log.clientHeight / 2);
  };
  new MutationObserver(follow).observe(document.body, { subtree: true, childList: true, characterData: true });
  for (const kind of ["wheel", "touchmove", "pointerdown", "keydown", "focusin"]) {
    document.addEventListener(kind, (event) => {
      if (event.target instanceof Element && event.target.closest("#chat")) following = false;
    }, { capture: true, passive: true });
  }

  // The second half of a double click is not meant for the button that the first has put into the place (Stop for Send).
  document.addEventListener("click", (event) => {
    if (event.detail > 1 && event.target instanceof Element && event.target.closest("button")) {
      event.stopImmediatePropagation();
    }
  }, true);

  // Enter that ends the composing of a syllable is not yet the wish to send.
  let composing = false;
  const inBox = (event) => event.target instanceof Element && event.target.closest("#box");
  document.addEventListener("compositionstart", (event) => { if (inBox(event)) composing = true; }, true);
  document.addEventListener("compositionend", (event) => { if (inBox(event)) composing = false; }, true);
  for (const kind of ["keydown", "keypress"]) {
    document.addEventListener(kind, (event) => {
      const unfinished = composing || event.isComposing || event.keyCode === 229;
      if (event.key === "Enter" && unfinished && inBox(event)) event.stopImmediatePropagation();
    }, true);
  }

  // The box is disabled while an answer is written and loses the focus; give it back to whoever was typing.
  let typing = false;
  document.addEventListener("focusin", (event) => { typing = Boolean(inBox(event)); }, true);
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      if (target.matches?.("#box textarea") && !target.disabled && typing && document.activeElement === document.body) {
        target.focus({ preventScroll: true });
      }
    }
  }).observe(document.body, { subtree: true, attributes: true, attributeFilter: ["disabled"] });

  // A citation opens its card in the panel; the card leads back to it.
  let origin = null;
  const open = (card) => {
    for (const turn of document.querySelectorAll("#panel .turn")) turn.classList.toggle("shown", turn.contains(card));
    for (const other of document.querySelectorAll("#panel .card.cited")) other.classList.remove("cited");
    card.open = true;
    card.classList.add("cited");
    card.scrollIntoView({ behavior, block: "nearest" });
    card.querySelector("summary").focus({ preventScroll: true });
  };
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    const link = event.target.closest('#chat a[href^="#src-"]');
    if (link) {
      event.preventDefault();
      const card = document.getElementById(link.getAttribute("href").slice(1));
      if (card) { origin = link; open(card); }
    } else if (event.target.closest("#panel .back")) {
      const target = origin?.isConnected ? origin : document.querySelector("#box textarea");
      target.scrollIntoView({ behavior, block: "center" });
      target.focus({ preventScroll: true });
    }
  }, true);
}
