// Asks before a form is left that was changed and not saved, and stores a draft of it meanwhile.
const forms = document.querySelectorAll("form[data-unsaved], .change-form #content-main > form");
const STORE_EVERY = 4000;
// The browser sends no more than 64 KiB from a page that it is closing.
const MOST_ON_CLOSING = 60000;

// Of boxes between which Django's admin moves options, what they held when the page was ready.
const movedBoxes = new Map();
const BOXES = ".selector-chosen select";

const valuesOf = (options) => options.map((option) => option.value).join("\n");

function isChosenAnew(field) {
  if (field.matches(BOXES)) {
    return movedBoxes.has(field) && movedBoxes.get(field) !== valuesOf([...field.options]);
  }
  const given = [...field.options].filter((option) => option.defaultSelected);
  const first = field.multiple ? [] : [...field.options].slice(0, 1);
  return valuesOf([...field.selectedOptions]) !== valuesOf(given.length ? given : first);
}

function isChanged(field) {
  if (!field.name || ["fieldset", "hidden", "submit", "button"].includes(field.type)) {
    return false;
  }
  if (field.type === "checkbox" || field.type === "radio") {
    return field.checked !== field.defaultChecked;
  }
  if (field.type === "file") {
    return field.value !== "";
  }
  if (field.options) {
    return !field.closest(".selector-available") && isChosenAnew(field);
  }
  // A browser writes a day its own way: what was given is compared as it would show it.
  const given = field.cloneNode();
  given.value = field.defaultValue;
  return field.value !== given.value;
}

// The token of this page ends when somebody signs in again in another window.
async function renewToken(address) {
  const page = await fetch(address, { redirect: "manual" });
  if (!page.ok) {
    return false;
  }
  const fresh = new DOMParser().parseFromString(await page.text(), "text/html");
  const token = fresh.querySelector("input[name=csrfmiddlewaretoken]");
  for (const field of document.querySelectorAll("input[name=csrfmiddlewaretoken]")) {
    field.value = token.value;
  }
  return true;
}

// Stored, or too long for a draft.
const isTold = (answer) => answer.ok || answer.status === 413;

function typedIn(form) {
  const typed = [...new FormData(form)].filter(
    ([name, value]) =>
      typeof value === "string" && !name.includes("__prefix__") && form.elements[name]?.type !== "password",
  );
  for (const box of form.querySelectorAll(BOXES)) {
    typed.push(...[...box.options].map((option) => [box.name, option.value]));
  }
  return JSON.stringify(typed);
}

// Of a form of admin: stores what is typed every few seconds, and once more before it is saved.
class Draft {
  stored = null;
  request = new AbortController();

  constructor(form, state, isUnsaved) {
    Object.assign(this, { form, state, isUnsaved });
    setInterval(() => this.store(), STORE_EVERY);
    document.addEventListener("visibilitychange", () => document.hidden && this.store(true));
  }

  // Whether the portal could be reached.
  async store(isClosing = false) {
    const typed = this.isUnsaved() ? typedIn(this.form) : null;
    if (typed === this.stored || this.isSaving) {
      return true;
    }
    this.stored = typed;
    try {
      let answer = await this.send(typed, isClosing);
      if (typed === null) {
        this.state.textContent = "";
        return true;
      }
      if (!isTold(answer)) {
        this.state.textContent = this.state.dataset.signedOut;
        if (await renewToken(location.pathname)) {
          answer = await this.send(typed, isClosing);
        }
      }
      if (isTold(answer)) {
        this.state.textContent = (await answer.json()).told;
      } else {
        this.stored = null;
      }
    } catch (error) {
      if (error instanceof TypeError) {
        this.stored = null;
        this.state.textContent = this.state.dataset.lost;
        return false; // so a browser tells that it reached nobody
      }
    }
    return true;
  }

  send(typed, isClosing) {
    this.request.abort();
    this.request = new AbortController();
    const body = new URLSearchParams({
      address: this.state.dataset.draftAddress,
      opening: this.state.dataset.draftOpening,
      csrfmiddlewaretoken: this.form.elements.csrfmiddlewaretoken.value,
      ...(typed === null ? {} : { data: typed }),
    });
    return fetch(this.state.dataset.draft, {
      body,
      keepalive: isClosing && body.toString().length < MOST_ON_CLOSING,
      method: "POST",
      redirect: "manual",
      signal: this.request.signal,
    });
  }

  // Where the line is down, the page with all that was typed stays.
  async saveBefore(submit) {
    const slow = new Promise((resolve) => setTimeout(resolve, STORE_EVERY, true));
    if (await Promise.race([this.store(), slow])) {
      // Where all is stored already no time has passed: while the form still tells of this
      // submission, the browser would pass over another one.
      await new Promise((resolve) => setTimeout(resolve));
      this.request.abort();
      this.isSaving = true;
      submit();
    } else {
      this.state.scrollIntoView({ block: "center" });
    }
  }
}

for (const form of forms) {
  // What came back with an error, or from a draft, is saved nowhere.
  const isTyped = form.matches("[data-typed]") || form.querySelector("[data-typed]") !== null;
  const isUnsaved = () => isTyped || [...form.elements].some(isChanged);
  const state = form.querySelector("[data-draft]");
  const draft = state && new Draft(form, state, isUnsaved);
  let isLeaving = false;
  form.addEventListener("submit", async (event) => {
    if (form.matches("[data-renew-token]")) {
      event.preventDefault();
      form.removeAttribute("data-renew-token");
      await renewToken(form.getAttribute("action")).catch(() => {});
      form.requestSubmit();
      return;
    }
    if (draft && !draft.isSaving && isUnsaved()) {
      event.preventDefault();
      draft.saving ??= draft
        .saveBefore(() => form.requestSubmit(event.submitter))
        .finally(() => (draft.saving = null));
    }
    isLeaving = !event.defaultPrevented;
  });
  // Whoever comes back by the browser's own button is asked again.
  window.addEventListener("pageshow", () => {
    isLeaving = false;
    if (draft) {
      draft.isSaving = false;
    }
  });
  window.addEventListener("beforeunload", (event) => {
    if (!isLeaving && isUnsaved()) {
      event.preventDefault();
    }
  });
}

window.addEventListener("load", () => {
  // After the admin's own script, which fills them at the same moment.
  setTimeout(() => {
    for (const field of document.querySelectorAll(BOXES)) {
      movedBoxes.set(field, valuesOf([...field.options]));
    }
  });
});
