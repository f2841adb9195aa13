// Fills fields that are empty from what another field says, and narrows the choices of a field by
// another. Django's autocomplete tells of a change by its own jQuery only.
const $ = window.django.jQuery;

const prefixOf = (field) => field.name.match(/^(.*-\d+-)?/)[0];
const sibling = (field, name) => field.form.elements[prefixOf(field) + name];

function fill(field, { value, text, origin }) {
  if (!field || field.value) {
    return;
  }
  if (field.options && ![...field.options].some((option) => option.value === value)) {
    field.add(new Option(text, value));
  }
  field.value = value;
  $(field).trigger("change");
  field.dispatchEvent(new Event("input", { bubbles: true }));
  const note = document.createElement("p");
  note.className = "help suggested";
  note.setAttribute("role", "status");
  note.textContent = origin;
  (field.closest(".fieldBox, .flex-container, td") ?? field.parentElement).append(note);
}

async function suggest(field) {
  const address = new URL(field.dataset.suggests, location.href);
  for (const name of field.dataset.suggestsBy.split(" ")) {
    address.searchParams.set(name, sibling(field, name)?.value ?? "");
  }
  const answer = await fetch(address, { redirect: "error" }).catch(() => null);
  if (answer?.ok) {
    for (const [name, suggestion] of Object.entries(await answer.json())) {
      fill(sibling(field, name), suggestion);
    }
  }
}

function narrow(field) {
  const by = sibling(field, field.dataset.narrowedBy);
  const whole = field.getAttribute("data-ajax--url");
  const follow = () => {
    const query = by.value ? `?${new URLSearchParams({ [field.dataset.narrowedBy]: by.value })}` : "";
    field.setAttribute("data-ajax--url", whole + query);
    $(field).select2("destroy");
    // What it has read of the attribute before.
    $(field).removeData().djangoAdminSelect2();
  };
  $(by).on("change", follow);
  if (by.value) {
    follow();
  }
}

// After Django's own scripts, which make the fields that they search in.
$(() => {
  for (const field of document.querySelectorAll("[data-suggests]")) {
    $(field).on("change", () => suggest(field));
  }
  for (const field of document.querySelectorAll("select[data-narrowed-by]")) {
    narrow(field);
  }
});
