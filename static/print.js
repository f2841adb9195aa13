// A Print button appears only where it can work: without script the browser's own command prints.
for (const item of document.querySelectorAll("[data-print]")) {
  item.querySelector("button").addEventListener("click", () => window.print());
  item.hidden = false;
}
