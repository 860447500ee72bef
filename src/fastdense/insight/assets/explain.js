"use strict";
// One step at a time, by the buttons or the arrow keys; one unit of a layer at a time, by its button.
(() => {
  const sections = [...document.querySelectorAll("section.step")];
  const [back, next] = ["back", "next"].map((id) => document.getElementById(id));
  const chips = [...document.querySelectorAll("nav [data-step]")];
  let current = 0;

  function show(index) {
    current = Math.max(0, Math.min(sections.length - 1, index));
    sections.forEach((section, i) => section.classList.toggle("current", i === current));
    chips.forEach((chip, i) => {
      if (i === current) {
        chip.setAttribute("aria-current", "step");
        const row = chip.parentElement; // scrolled by itself: scrollIntoView moves the page around a frame too
        const left = chip.offsetLeft - row.offsetLeft;
        if (left < row.scrollLeft) row.scrollLeft = left;
        else if (left + chip.offsetWidth > row.scrollLeft + row.clientWidth)
          row.scrollLeft = left + chip.offsetWidth - row.clientWidth;
      } else chip.removeAttribute("aria-current");
    });
    back.disabled = current === 0;
    next.disabled = current === sections.length - 1;
    document.getElementById("where").textContent = `Step ${current + 1} of ${sections.length}`;
  }

  function choose(button) {
    const section = button.closest("section");
    const unit = button.dataset.unit;
    section.querySelectorAll("button[data-unit]").forEach((other) => {
      other.setAttribute("aria-pressed", String(other === button));
    });
    section.querySelectorAll("td").forEach((cell) => {
      cell.classList.toggle("on", cell.dataset.unit === unit || cell.dataset.unit === "all");
    });
    section.querySelector(".sum").textContent = button.dataset.sum;
  }

  back.addEventListener("click", () => show(current - 1));
  next.addEventListener("click", () => show(current + 1));
  chips.forEach((chip, i) => chip.addEventListener("click", () => show(i)));
  document.querySelectorAll("button[data-unit]").forEach((button) => {
    button.addEventListener("click", () => choose(button));
  });
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (event.target.closest?.(".product, .steps")) return; // they scroll by the same keys
    const moves = { ArrowRight: current + 1, ArrowLeft: current - 1, Home: 0, End: sections.length - 1 };
    if (event.key in moves) {
      event.preventDefault();
      show(moves[event.key]);
    }
  });
  document.body.classList.add("stepping");
  document.querySelectorAll("section").forEach((section) => {
    const first = section.querySelector("button[data-unit]");
    if (first) choose(first);
  });
  show(0);
})();
