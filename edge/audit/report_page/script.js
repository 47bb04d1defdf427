"use strict";
// Hides the sheets that the reader did not ask for. Reads attributes only; nothing from the export is ever run or made into markup.
(() => {
  const form = document.getElementById("filter");
  const kind = document.getElementById("kind");
  const vote = document.getElementById("vote");
  const count = document.getElementById("count");
  const words = (text) => new Set((text || "").split(" "));
  const sheets = [...document.querySelectorAll("article")].map((article) => ({
    article,
    kinds: words(article.dataset.k),
    votes: words(article.dataset.v),
  }));
  const groups = [...document.querySelectorAll("section.sheets")].map((section) => ({
    section,
    articles: [...section.querySelectorAll("article")],
  }));
  const number = (value) => value.toLocaleString("en");

  for (const option of kind.options) {
    if (option.value) {
      option.textContent += ` (${number(sheets.filter((sheet) => sheet.kinds.has(option.value)).length)})`;
    }
  }

  const show = () => {
    let seen = 0;
    for (const { article, kinds, votes } of sheets) {
      const wanted = (!kind.value || kinds.has(kind.value)) && (!vote.value || votes.has(vote.value));
      article.hidden = !wanted;
      seen += wanted;
    }
    for (const { section, articles } of groups) {
      section.hidden = articles.length > 0 && articles.every((article) => article.hidden);
    }
    count.textContent = `${number(seen)} of ${number(sheets.length)} sheets are shown.`;
  };
  const all = () => {
    kind.value = "";
    vote.value = "";
    show();
  };

  form.addEventListener("change", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", (event) => {
    event.preventDefault();
    all();
  });
  // A link to a sheet that is filtered away must lead to it.
  addEventListener("hashchange", () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target && target.closest("[hidden]")) {
      all();
      target.scrollIntoView();
    }
  });
  form.hidden = false;
  all();
})();
