#include "report/reporters/html/parts.h"

namespace ckpt::report::html {

// Searches, sorts, folds. Everything is in the page before it runs.
const std::string_view kScript = R"js(
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const all = (what, where) => Array.from((where || document).querySelectorAll(what));
  const tools = $("tools"), query = $("q"), found = $("found");
  tools.hidden = false;

  // --- search: every row, leaf and picture whose text has all the words ---
  let items = null;
  const branch = (leaf) => {
    let text = "";
    for (let at = leaf.parentElement; at && !at.classList.contains("tree"); at = at.parentElement)
      if (at.tagName === "DETAILS") text = at.firstElementChild.firstChild.textContent + "." + text;
    return text;
  };
  const collect = () => all("[data-s]").map((node) => {
    const tree = node.tagName === "LI";
    return {node, text: ((tree ? branch(node) : "") + node.textContent).toLowerCase().replace(/\s+/g, " ")};
  });
  const folds = () => all("details:not(.numbers):not(.why)");
  let before = null;
  const search = () => {
    const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
    items = items || collect();
    if (words.length && !before) before = new Map(folds().map((d) => [d, d.open]));
    let count = 0;
    for (const item of items) {
      const hit = words.every((word) => item.text.includes(word));
      item.node.hidden = !hit;
      if (hit) count += 1;
    }
    for (const fold of folds()) {
      const inside = fold.querySelector("[data-s]");
      const hit = !inside || !words.length || fold.querySelector("[data-s]:not([hidden])") !== null;
      const shell = fold.parentElement.tagName === "LI" ? fold.parentElement : fold;
      shell.hidden = !hit;
      if (words.length && inside) fold.open = hit;
    }
    if (!words.length && before) {
      before.forEach((open, fold) => { fold.open = open; });
      before = null;
    }
    found.textContent = words.length ? count + " of " + items.length + " lines" : "";
  };
  let timer = 0;
  query.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(search, 120); });
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) { event.preventDefault(); query.focus(); }
    if (event.key === "Escape" && document.activeElement === query) { query.value = ""; search(); }
  });

  // --- sort: numbers as numbers, what is no number last ---
  const number = (text) => text === "∞" ? Infinity : text === "all" ? 100 : parseFloat(text);
  const sort = (table, column, header) => {
    const down = header.getAttribute("aria-sort") !== "descending" && header.classList.contains("n") ||
      header.getAttribute("aria-sort") === "ascending";
    const numeric = header.classList.contains("n");
    const body = table.tBodies[0];
    const rows = Array.from(body.rows, (row, at) => {
      const text = row.cells[column].textContent;
      return {row, at, key: numeric ? number(text) : text};
    });
    const order = new Intl.Collator("en", {numeric: true}).compare;
    const sign = down ? -1 : 1;
    rows.sort((a, b) => {
      if (!numeric) return sign * order(a.key, b.key) || a.at - b.at;
      if (Number.isNaN(a.key) || Number.isNaN(b.key)) return Number.isNaN(a.key) - Number.isNaN(b.key) || a.at - b.at;
      return a.key === b.key ? a.at - b.at : sign * (a.key < b.key ? -1 : 1);
    });
    body.append(...rows.map((item) => item.row));
    for (const other of header.parentElement.cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
  };
  for (const table of all("table.sortable"))
    Array.from(table.tHead.rows[0].cells).forEach((header, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...header.childNodes);
      header.append(button);
      button.addEventListener("click", () => sort(table, column, header));
    });

  // --- fold, and links into what is folded ---
  $("open").addEventListener("click", () => { for (const fold of folds()) fold.open = true; });
  $("close").addEventListener("click", () => { for (const fold of folds()) fold.open = false; });
  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    if (target) target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  reveal();
})();
)js";

}  // namespace ckpt::report::html
