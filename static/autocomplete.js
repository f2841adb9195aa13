// The fields of Django's autocomplete do not say what they are called.
function nameFields() {
  for (const select of document.querySelectorAll("select.admin-autocomplete")) {
    const name = select.labels[0]?.textContent.trim().replace(/:$/, "");
    const shown = select.nextElementSibling?.querySelectorAll("[role=textbox], [role=searchbox]") ?? [];
    for (const field of name ? shown : []) {
      field.setAttribute("aria-label", name);
    }
  }
}

window.addEventListener("load", () => setTimeout(nameFields));
document.addEventListener("formset:added", () => setTimeout(nameFields));
