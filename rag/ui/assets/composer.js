  // The box can be written in at all times: what is sent while an answer is written waits, visibly, for its end.
  const box = () => $("#question");
  const waiting = [];
  let sending = null, editing = null;
  // The filters that a new chat has taken back: its undo brings them again.
  let scopeBefore = null;
  const grow = () => {
    const area = box();
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight + 2, 160)}px`;
    const limit = Number(area.dataset.limit), count = area.value.trim().normalize("NFKC").length;
    const near = count > limit * 0.9;
    $("#counter").textContent = near ? words.limit_near.replace("{count}", count.toLocaleString()).replace("{limit}", limit.toLocaleString()) : "";
    $("#counter").toggleAttribute("data-over", count > limit);
  };
  const write = (text) => {
    box().value = text;
    grow();
  };
  const drawWaiting = () => {
    $("#queue").replaceChildren(...waiting.map((each, index) => {
      const line = Object.assign(document.createElement("p"), { textContent: words.queued.replace("{question}", each.text) });
      line.append(" ", button("unqueue", words.unqueue, { index }));
      return line;
    }));
  };
  const endEditing = () => {
    editing = null;
    $("#editing").hidden = true;
  };
  const post = (name, values, text) => {
    sending = { name, text };
    hint("");
    busy = true;
    $("#composer").toggleAttribute("data-busy", true);
    trigger(name, values);
  };
  const ask = (name, values, text) => {
    if (busy || sending) {
      waiting.push({ name, values, text });
      drawWaiting();
    } else {
      post(name, values, text);
    }
  };
  const submit = () => {
    const text = box().value.trim(), limit = Number(box().dataset.limit);
    if (!text) return hint(words.empty);
    const length = text.normalize("NFKC").length; // as the server counts
    if (length > limit) {
      return hint(words.too_long.replace("{length}", length.toLocaleString()).replace("{limit}", limit.toLocaleString()));
    }
    hint("");
    scopeBefore = null;
    if (editing) ask("edit", [text, ...scope(), String(editing)], text);
    else ask("send", [text, ...scope()], text);
    endEditing();
    write("");
  };
  // The server stops only an answer that has begun, which its first frame shows.
  const stop = () => {
    if (sending && !sending.begun) sending.stopped = true;
    else trigger("stop");
  };
  faq.begun = () => {
    if (!sending || sending.begun) return;
    sending.begun = true;
    if (sending.stopped) trigger("stop");
  };
  faq.idle = () => {
    sending = null;
    const next = waiting.shift();
    drawWaiting();
    if (next) post(next.name, next.values, next.text);
  };
  // A question that was not taken goes back into the box, unless something else is being written there.
  faq.returned = (text) => {
    hint(text);
    if (sending && (sending.name === "send" || sending.name === "edit") && !box().value) write(sending.text);
  };
  faq.refused = () => {
    if (!sending) return false;
    faq.returned("");
    waiting.length = 0;
    faq.setBusy(false);
    return true;
  };
  // What is being written outlives a reload of this tab, and is kept nowhere else.
  window.addEventListener("pagehide", () => {
    try { sessionStorage.setItem(DRAFT, box().value); } catch { /* a browser that keeps nothing */ }
  });
  faq.draft = () => {
    try {
      if (!box().value) write(sessionStorage.getItem(DRAFT) ?? "");
      sessionStorage.removeItem(DRAFT);
    } catch { /* a browser that keeps nothing */ }
  };

  document.addEventListener("submit", (event) => {
    if (!within(event, "#ask")) return;
    event.preventDefault();
    submit();
  }, true);
  document.addEventListener("input", (event) => {
    if (!within(event, "#box")) return;
    hint("");
    grow();
  }, true);

  // Enter that ends the composing of a syllable is not yet the wish to send.
  let composing = false;
  document.addEventListener("compositionstart", (event) => { if (within(event, "#box")) composing = true; }, true);
  document.addEventListener("compositionend", (event) => { if (within(event, "#box")) composing = false; }, true);
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || !within(event, "#box")) return;
    if (composing || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    submit();
  }, true);

  const chosen = () => {
    $("#tools .chosen").textContent = [$("#bank").value, $("#category").value].filter(Boolean).join(" · ");
  };
  document.addEventListener("change", (event) => { if (within(event, "#tools")) chosen(); }, true);

  const plain = (own) => {
    const text = $(".said", own)?.innerText ?? "";
    const sources = all(".card", cards(turnOf(own)) ?? own).map((card) =>
      `[${$(".number", card).textContent}] ${$(".card-title", card).textContent} ${$(".origin a", card)?.href ?? ""}`.trim());
    return [text, ...sources].join("\n");
  };
  document.addEventListener("click", (event) => {
    const target = within(event, "button");
    if (!target) return;
    const own = target.closest("article");
    if (target.id === "stop") stop();
    else if (target.id === "clear") {
      waiting.length = 0;
      drawWaiting();
      endEditing();
      sending = null;
      scopeBefore = [$("#bank").value, $("#category").value];
      $("#bank").value = $("#category").value = "";
      chosen();
      faq.topic?.(null);
      trigger("clear");
      box().focus();
    } else if (target.matches(".undo")) {
      toast("");
      if (scopeBefore) [$("#bank").value, $("#category").value] = scopeBefore;
      scopeBefore = null;
      chosen();
      trigger("undo");
    } else if (target.matches(".starter")) ask("send", [target.textContent, ...scope()], target.textContent);
    else if (target.matches(".topic")) {
      faq.topic(target.getAttribute("aria-pressed") === "true" ? null : target.dataset.value);
    } else if (target.matches(".option")) {
      ask("choose", [target.dataset.row, ...scope()], target.innerText);
      log().focus({ preventScroll: true });
    } else if (target.matches(".none")) {
      const desk = $(".desk", target.parentElement);
      desk.hidden = false;
      faq.feedback?.(own, "none");
    } else if (target.matches(".retry")) {
      ask("retry", scope(), "");
      box().focus({ preventScroll: true });
    } else if (target.matches(".edit")) {
      editing = turnOf(own);
      $("#editing").hidden = false;
      write($(".message.user", own).innerText);
      box().focus();
    } else if (target.matches("#editing .end")) endEditing();
    else if (target.matches(".unqueue")) {
      waiting.splice(Number(target.dataset.index), 1);
      drawWaiting();
      box().focus();
    } else if (target.matches(".copy")) {
      navigator.clipboard?.writeText(plain(own)).then(() => toast(words.copied), () => {});
    } else if (target.id === "theme") shade(!document.body.classList.contains("dark"), true);
  }, true);

  // Light or dark as the system is, until somebody chooses.
  const shade = (dark, keep) => {
    document.body.classList.toggle("dark", dark);
    $("#theme")?.setAttribute("aria-pressed", String(dark));
    if (keep) try { localStorage.setItem("faq-dark", dark ? "1" : "0"); } catch { /* a browser that keeps nothing */ }
  };
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const kept = () => { try { return localStorage.getItem("faq-dark"); } catch { return null; } };
  const shaded = () => shade(kept() === null ? system.matches : kept() === "1", false);
  system.addEventListener("change", shaded);

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || composing || event.isComposing) return;
    if ($("#tools").open) {
      $("#tools").open = false;
      $("#tools summary").focus();
    } else if (faq.close?.()) return;
    else if (editing) {
      endEditing();
      write("");
    } else if (busy) stop();
  }, true);
  document.addEventListener("pointerdown", (event) => {
    if ($("#tools")?.open && !within(event, "#tools")) $("#tools").open = false;
  }, true);
