  // The visitor's own chats. The tab remembers which one it shows, so that a reload goes on with it.
  const tab = {
    get: () => { try { return sessionStorage.getItem("faq-chat") ?? ""; } catch { return ""; } },
    set: (chat) => { try { sessionStorage.setItem("faq-chat", chat); } catch { /* a browser that keeps nothing */ } },
  };
  faq.chat = (chat) => tab.set(chat ?? "");
  faq.ready = () => { if ($("#chats") && tab.get() && !$("article", log())) trigger("open", [tab.get(), null]); };
  const post_json = (path, body) => fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
  const list = async () => {
    const answer = await post_json("chats/search", { q: $("#find").value }).catch(() => null);
    const found = answer?.ok ? (await answer.json()).chats : [];
    const lines = found.map(({ id, title, updated }) => {
      const line = document.createElement("li");
      const link = Object.assign(document.createElement("a"), { href: `chats/export?id=${id}`, textContent: words.export });
      link.download = "chat.md";
      line.append(button("open", title, { id }), button("rename", words.rename, { id }), button("remove", words.remove, { id }), link);
      for (const each of [...line.children].slice(1)) each.ariaLabel = `${each.textContent}: ${title}`;
      const when = new Date(updated).toLocaleString(words.language, { month: "numeric", day: "numeric", hour: "numeric", minute: "2-digit" });
      line.append(Object.assign(document.createElement("span"), { className: "when", textContent: when }));
      return line;
    });
    $("#chats ul").replaceChildren(...(lines.length ? lines : [Object.assign(document.createElement("li"), { textContent: words.no_chats })]));
  };
  const menu = (open) => {
    $("#chats").hidden = !open;
    $("#menu").setAttribute("aria-expanded", String(open));
    behind(open && "chats");
    if (open) {
      $("#shared").checked = document.cookie.includes("fsi-keep=0");
      list();
      $("#find").focus();
    } else $("#menu").focus();
  };
  const closeDrawer = faq.close;
  faq.close = () => {
    if ($("#chats") && !$("#chats").hidden) {
      menu(false);
      return true;
    }
    return closeDrawer();
  };
  const forget = async () => {
    await post_json("chats/forget", {});
    tab.set("");
    trigger("drop");
    toast(words.forgotten);
    list();
  };
  document.addEventListener("click", async (event) => {
    const target = within(event, "#menu, #chats button");
    if (!target) return;
    const { id } = target.dataset;
    if (target.id === "menu") menu($("#chats").hidden);
    else if (target.matches(".shut")) menu(false);
    else if (target.matches(".open")) {
      trigger("open", [id, null]);
      menu(false);
    } else if (target.matches(".rename")) {
      const title = window.prompt(words.new_name, $(".open", target.parentElement).textContent);
      if (title) await post_json("chats/rename", { id, title });
      await list();
      $(`#chats .rename[data-id="${id}"]`)?.focus();
    } else if (target.matches(".remove")) {
      if (!window.confirm(words.remove_sure.replace("{title}", $(".open", target.parentElement).textContent))) return;
      await post_json("chats/delete", { id });
      if (tab.get() === id) trigger("drop");
      await list();
      $("#find").focus();
    } else if (target.id === "forget" && window.confirm(words.forget_sure)) forget();
  }, true);
  document.addEventListener("input", (event) => { if (within(event, "#find")) list(); }, true);
  document.addEventListener("change", async (event) => {
    if (!within(event, "#shared")) return;
    if (event.target.checked) await forget();  // with the cookie as it was: afterwards nothing is this browser's
    document.cookie = `fsi-keep=${event.target.checked ? "0" : ""}; path=/; SameSite=Lax${event.target.checked ? "" : "; max-age=0"}`;
  }, true);
