// A button to copy an address appears only where it can work; the page shows the address anyway.
for (const item of navigator.clipboard ? document.querySelectorAll("[data-copy]") : []) {
  item.querySelector("button").addEventListener("click", async () => {
    await navigator.clipboard.writeText(item.dataset.copy);
    item.querySelector("[role=status]").hidden = false;
  });
  item.hidden = false;
}
