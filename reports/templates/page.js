// Filters the findings, and shows what a link leads to. Without it the page has no filter.
"use strict";
const form = document.querySelector("form");
const filters = [...form.querySelectorAll("select")];
const findings = [...document.querySelectorAll(".finding")];

function filter() {
  const chosen = filters.filter((it) => it.value !== "");
  for (const finding of findings)
    finding.hidden = !chosen.every((it) =>
      JSON.parse(finding.dataset[it.name]).includes(it.value));
  for (const link of document.querySelectorAll(".contents a"))
    link.closest("li").hidden = document.getElementById(link.hash.slice(1)).hidden;
  const shown = findings.filter((it) => !it.hidden);
  form.querySelector("output").textContent = `${shown.length} of ${findings.length} shown`;
  if (chosen.length > 0)
    for (const finding of shown) unfold(finding.parentElement);
}

function unfold(element) {
  for (let it = element; it; it = it.parentElement) if (it.tagName === "DETAILS") it.open = true;
}

function jump() {
  const target = document.getElementById(location.hash.slice(1));
  if (!target) return;
  if (target.hidden) {
    form.reset();
    filter();
  }
  unfold(target.querySelector("details.whole") ?? target);
  target.scrollIntoView();
}

form.addEventListener("change", filter);
window.addEventListener("hashchange", jump);
form.hidden = false;
filter();
jump();
