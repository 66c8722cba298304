  // The end of an answer is followed until its question is at the top, so that it is read from there; after a tall question
  // the answer has half of the height. Whoever moves is left alone.
  let following = false, answering = false, asked = "";
  const begins = () => {
    const before = [answering, asked];
    const last = all('[data-testid="user"]', log()).pop();
    answering = busy;
    asked = last ? `${turnOf(last.closest("article"))}${last.textContent}` : "";
    return (answering && !before[0]) || (asked && asked !== before[1]);
  };
  const atEnd = () => log().scrollHeight - log().scrollTop - log().clientHeight < 24;
  const follow = () => {
    if (!log()) return;
    if (begins()) {
      following = true;
      draw(false);
    }
    if (following) {
      const from = (role) => {
        const last = all(`[data-testid="${role}"]`, log()).pop();
        return last ? last.getBoundingClientRect().top - log().getBoundingClientRect().top + log().scrollTop : 0;
      };
      log().scrollTop = Math.max(from("user") - 16, from("bot") - log().clientHeight / 2);
    }
    $("#down").hidden = atEnd();
  };
  new MutationObserver(follow).observe(document.body, { subtree: true, childList: true, characterData: true });
  for (const kind of ["wheel", "touchmove", "pointerdown", "keydown", "focusin"]) {
    document.addEventListener(kind, (event) => { if (within(event, "#chat")) following = false; }, { capture: true, passive: true });
  }
  document.addEventListener("scroll", (event) => { if (within(event, "#chat")) $("#down").hidden = atEnd(); }, true);

  // A citation opens its card in the panel, which is a drawer on narrow screens; the card leads back to it.
  const narrow = window.matchMedia("(max-width: 1023px)");
  let origin = null;
  // A drawer lies over the rest of the page, which no key, click or screen reader then reaches; a click beside it closes it.
  const behind = (drawer) => {
    for (const each of all(".skip, #header button, #talk, #chats, #sources")) each.inert = Boolean(drawer) && each.id !== drawer;
  };
  const draw = (open) => {
    $("#sources").toggleAttribute("data-open", open);
    behind(open && narrow.matches && "sources");
    if (open && narrow.matches) $("#panel").focus({ preventScroll: true });
  };
  narrow.addEventListener("change", () => draw(false));
  const back = () => {
    draw(false);
    const target = origin?.isConnected ? origin : box();
    target.scrollIntoView({ behavior, block: "center" });
    target.focus({ preventScroll: true });
  };
  const open = (card) => {
    showCards(turnOf(card.closest(".cards")));
    draw(true);
    for (const other of all("#panel .card.cited")) other.classList.remove("cited");
    card.open = true;
    card.classList.add("cited");
    card.scrollIntoView({ behavior, block: "nearest" });
    $("summary", card).focus({ preventScroll: true });
  };
  document.addEventListener("click", (event) => {
    const link = within(event, '#chat a[href^="#src-"]');
    const target = within(event, "button");
    if (!within(event, "a, button, #chats, #sources, #toast") && faq.close()) return;
    if (link) {
      event.preventDefault();
      const card = document.getElementById(link.getAttribute("href").slice(1));
      if (card) { origin = link; open(card); }
    } else if (within(event, "a.skip")) {
      event.preventDefault();
      box().focus();
    } else if (target?.matches(".show-sources")) {
      origin = target;
      showCards(turnOf(target.closest("article")));
      draw(true);
      $("#panel").focus({ preventScroll: true });
    } else if (target?.matches("#panel .whole")) {
      const text = target.nextElementSibling;
      text.hidden = !text.hidden;
      target.setAttribute("aria-expanded", String(!text.hidden));
    } else if (target?.matches("#panel .back, #panel .shut")) back();
    else if (target?.id === "down") {
      following = false;
      log().scrollTo({ top: log().scrollHeight, behavior });
      log().focus({ preventScroll: true });
    }
  }, true);
  faq.close = () => {
    if (!$("#sources").hasAttribute("data-open") || !narrow.matches) return false;
    back();
    return true;
  };

  // The parts come with Gradio's first drawing.
  const began = new MutationObserver(() => {
    if (!log()) return;
    began.disconnect();
    shaded();
    receive();
    faq.draft();
    grow();
    if (!window.matchMedia("(pointer: coarse)").matches && (document.activeElement ?? document.body) === document.body) box().focus();
  });
  began.observe(document.documentElement, { subtree: true, childList: true });
  document.documentElement.append(document.createComment(""));
