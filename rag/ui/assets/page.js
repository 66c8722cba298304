  const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  const behavior = calm ? "auto" : "smooth";
  const $ = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const within = (event, selector) => event.target instanceof Element ? event.target.closest(selector) : null;
  const log = () => $('#chat [role="log"]');
  const announce = (text) => { $("#live").textContent = text; };

  // Gradio sets the language of the browser; the page has its own.
  const root = document.documentElement;
  const speak = () => root.lang !== words.language && (root.lang = words.language);
  speak();
  new MutationObserver(speak).observe(root, { attributes: true, attributeFilter: ["lang"] });

  // What visitors do goes to Gradio by hidden buttons, whose events take their values from here.
  const outgoing = {};
  const faq = window.faq = {
    take: (name) => (outgoing[name] ?? []).shift() ?? [null],
  };
  const trigger = (name, values = [null]) => {
    (outgoing[name] ??= []).push(values);
    unpressed.push(name);
    press();
  };
  // Gradio draws its buttons after the page: who is quicker than that is heard as soon as they are there.
  const unpressed = [];
  const press = () => {
    while (unpressed.length && $(`#do-${unpressed[0]}`)) $(`#do-${unpressed.shift()}`).click();
  };
  const scope = () => [null, $("#bank").value, $("#category").value];

  const hint = (text) => {
    const place = $("#hint");
    place.replaceChildren();
    if (text) {
      place.append(Object.assign(document.createElement("p"), { textContent: text }));
      place.firstChild.setAttribute("role", "alert");
    }
  };
  let forgetting = 0;
  const toast = (text, undo, stays) => {
    const place = $("#toast");
    clearTimeout(forgetting);
    place.replaceChildren();
    if (!text) return;
    place.append(Object.assign(document.createElement("span"), { textContent: text }));
    if (undo) place.append(Object.assign(document.createElement("button"), { type: "button", className: "undo", textContent: words.undo }));
    if (!stays) forgetting = setTimeout(() => place.replaceChildren(), undo ? 20000 : 5000);
  };

  // Of a refused request Gradio shows a bare "error": say why, and that a reload asks for the login again.
  const fetched = window.fetch;
  window.fetch = async (...request) => {
    const url = String(request[0]?.url ?? request[0]);
    const joins = url.includes("/queue/join");
    let answer;
    try {
      answer = await fetched(...request);
    } catch (error) {
      // The server is away: the question goes back into the box.
      if (joins && faq.refused()) hint(words.lost);
      throw error;
    }
    if (joins && !answer.ok) faq.refused();
    if ((answer.status === 401 || answer.status === 429) && url.includes("/gradio_api/")) {
      hint(answer.status === 401 ? words.ended : words.busy);
    }
    return answer;
  };

  // Frames: what the server has changed of the conversation.
  let seen = 0, busy = false, listed = [];
  const turnOf = (node) => Number(node.dataset.turn);
  const article = (turn) => $(`article[data-turn="${turn}"]`, log());
  const cards = (turn) => $(`#panel .cards[data-turn="${turn}"]`);
  // In place: what is selected, open or focused stays so while the answer grows.
  const patch = (old, now) => {
    if (old.isEqualNode(now)) return;
    if (old.nodeName !== now.nodeName || old.id !== now.id) return old.replaceWith(document.importNode(now, true));
    if (old.nodeType !== Node.ELEMENT_NODE) {
      old.nodeValue = now.nodeValue;
      return;
    }
    for (const { name, value } of now.attributes) if (old.getAttribute(name) !== value && name !== "hidden") old.setAttribute(name, value);
    const before = [...old.childNodes], after = [...now.childNodes];
    after.forEach((child, index) => before[index] ? patch(before[index], child) : old.append(document.importNode(child, true)));
    for (const extra of before.slice(after.length)) extra.remove();
  };
  const place = (parent, node, before) => {
    if (before) return patch(before, node);
    const next = [...parent.children].find((each) => turnOf(each) > turnOf(node)) ?? null;
    parent.insertBefore(document.importNode(node, true), next);
  };
  const showCards = (turn) => {
    for (const each of all("#panel .card.cited")) each.classList.remove("cited");
    for (const each of all("#panel .cards")) each.classList.toggle("shown", turnOf(each) === turn);
    const any = all("#panel .cards").length > 0;
    $("#sources").hidden = !any;
    $("#columns").toggleAttribute("data-sources", any);
  };
  const apply = (frame) => {
    const serial = Number(frame.dataset.serial);
    if (!log() || serial <= seen) return;
    seen = serial;
    const flags = frame.dataset, brought = document.createElement("template");
    brought.innerHTML = flags.content;
    listed = flags.turns.split(" ").filter(Boolean).map(Number);
    for (const each of [...all("article", log()), ...all("#panel .cards")]) {
      if (!listed.includes(turnOf(each)) && ("reset" in flags || turnOf(each) > Number(flags.forgotten))) each.remove();
    }
    for (const each of all("article", brought.content)) place(log(), each, article(turnOf(each)));
    for (const each of all(".cards", brought.content)) place($("#panel .list"), each, cards(turnOf(each)));
    const changed = all("article", brought.content).pop();
    if (changed || "reset" in flags) {
      const last = all("#panel .cards").pop();
      showCards(changed && !("reset" in flags) ? turnOf(changed) : last ? turnOf(last) : 0);
    }
    $("#talk").toggleAttribute("data-asked", Boolean($("article", log())));
    if ("hint" in flags) faq.returned(flags.hint);
    if ("said" in flags) toast(flags.said, "undo" in flags);
    faq.chat?.(flags.chat);
    const was = busy;
    faq.setBusy("busy" in flags);
    if (was && !busy && changed) {
      const own = article(turnOf(changed)), count = all(".card", cards(turnOf(changed)) ?? own).length;
      announce([words.new_answer, $(".message.bot", own)?.innerText.slice(0, 600), count ? words.new_sources.replace("{count}", count) : ""].join(" "));
    }
    if (listed.some((turn) => !article(turn))) trigger("sync");
  };
  faq.setBusy = (now) => {
    busy = now;
    $("#composer").toggleAttribute("data-busy", now);
    if (now) faq.begun();
    else faq.idle();
  };
  faq.busy = () => busy;

  // News: how the loading goes, then what can be chosen and asked.
  const button = (className, text, dataset = {}) => {
    const made = Object.assign(document.createElement("button"), { type: "button", className, textContent: text });
    if (words.language !== "ko" && /[가-힣]/.test(text)) made.lang = "ko";
    Object.assign(made.dataset, dataset);
    return made;
  };
  const tell = (news) => {
    if (!log()) return;
    $("#status").replaceChildren(...all(":scope > p", news).map((each) => each.cloneNode(true)));
    for (const list of all("[data-choices]", news)) {
      const select = $(`#${list.dataset.choices}`);
      select.length = 1;
      for (const each of all("li", list)) select.add(new Option(each.textContent, each.textContent));
    }
    const starters = $("[data-starters]", news);
    if (!starters) return;
    faq.ready?.();
    const fill = (part, made) => {
      $(`#${part}`).hidden = made.length === 0;
      $(`#${part} > div`).replaceChildren(...made);
    };
    const topics = {};
    for (const each of all("[data-topic]", news)) topics[each.dataset.topic] = all("li", each).map((line) => line.textContent);
    fill("topics", Object.keys(topics).map((name) => button("topic", name, { value: name })));
    // The questions of one topic, or with null one of each.
    faq.topic = (chosen) => {
      for (const each of all("#topics .topic")) each.setAttribute("aria-pressed", String(each.dataset.value === chosen));
      const lines = topics[chosen] ?? all("li", starters).map((each) => each.textContent);
      fill("starters", lines.map((line) => button("starter", line)));
    };
    faq.topic(null);
  };
  // Gradio's own messages are in English: they are hidden, and said in the page's words. It loads the page again by itself
  // once the server is back; what was being written is there then.
  const DRAFT = "faq-draft";
  const translate = () => {
    const text = all('[data-testid="toast-text"]').pop()?.textContent ?? "";
    if (text === translate.told) return;
    translate.told = text;
    const lost = text.startsWith("Connection to the server was lost");
    if (text) toast(lost ? words.lost : text, false, lost);
  };
  const receive = () => {
    press();
    translate();
    for (const frame of all("#inbox .frame")) apply(frame);
    const news = $("#news > .html-container > :last-child") ?? $("#news");
    if (news && news.innerHTML !== receive.told && news.textContent) {
      receive.told = news.innerHTML;
      tell(news);
    }
  };
  // Whatever changes: Gradio may change a text in place, or in a part that it has already taken out.
  new MutationObserver(receive).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ["data-serial"] });

  // The second half of a double click is not meant for the button that the first has put into the place (Stop for Send).
  document.addEventListener("click", (event) => {
    if (event.detail > 1 && within(event, "button")) {
      event.stopImmediatePropagation();
      event.preventDefault();
    }
  }, true);
