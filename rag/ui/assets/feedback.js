  // What visitors say of an answer goes to its record.
  faq.feedback = async (own, kind, reason = "") => {
    const answer = own.dataset.record;
    if (!answer) return;
    const sent = await fetch("feedback", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ answer, kind, reason }),
    }).catch(() => null);
    if (sent?.ok && kind !== "none") $(".thanks", own).textContent = words.liked;
  };
  document.addEventListener("click", (event) => {
    const target = within(event, ".like, .dislike, .reason");
    const own = target?.closest("article");
    if (!own) return;
    if (target.matches(".reason")) {
      $(".reasons", own).hidden = true;
      faq.feedback(own, "dislike", target.textContent);
      $(".dislike", own).focus();
      return;
    }
    for (const each of all(".like, .dislike", own)) each.setAttribute("aria-pressed", String(each === target));
    $(".reasons", own).hidden = !target.matches(".dislike");
    if (target.matches(".like")) faq.feedback(own, "like");
    else {
      $(".reason", own)?.focus({ preventScroll: true });
      $(".reasons", own).scrollIntoView({ behavior, block: "nearest" });
    }
  }, true);
