// The texts of an announcement: the preview of each as it is typed, and tabs on a narrow screen.
const PAUSE = 400;
const group = document.querySelector("[data-texts]");
const panels = [...group.querySelectorAll(".inline-related")];

class Preview {
  request = new AbortController();

  constructor(button, panel) {
    this.button = button;
    this.frame = document.getElementById(button.dataset.preview);
    this.status = button.parentElement.querySelector("[role=status]");
    button.setAttribute("aria-expanded", "false");
    button.setAttribute("aria-controls", this.frame.id);
    button.addEventListener("click", (event) => {
      event.preventDefault();
      this.frame.hidden = !this.frame.hidden;
      button.setAttribute("aria-expanded", String(!this.frame.hidden));
      this.show();
    });
    panel.addEventListener("input", () => {
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.show(), PAUSE);
    });
  }

  async show() {
    if (this.frame.hidden) {
      return;
    }
    this.request.abort();
    this.request = new AbortController();
    try {
      const page = await this.ask(this.request.signal);
      this.status.textContent = page === null ? this.status.dataset.failed : "";
      if (page !== null) {
        this.fill(page);
      }
    } catch (error) {
      if (error instanceof TypeError) {
        this.status.textContent = this.status.dataset.failed; // nobody was reached
      }
    }
  }

  async ask(signal) {
    const form = this.button.form;
    const prefix = this.button.value;
    const names = (name) => name.startsWith(`${prefix}-`) || name === "csrfmiddlewaretoken";
    const typed = [...new FormData(form)].filter(([name, value]) => names(name) && typeof value === "string");
    const body = new URLSearchParams([...typed, ["preview", prefix]]);
    const answer = await fetch(this.button.formAction, { body, method: "POST", redirect: "manual", signal });
    return answer.ok ? answer.text() : null;
  }

  // In place, so that the page stays where it was scrolled to.
  fill(page) {
    if (this.frame.srcdoc) {
      const { body } = new DOMParser().parseFromString(page, "text/html");
      const { documentElement } = this.frame.contentDocument;
      const top = documentElement.scrollTop;
      this.frame.contentDocument.body.replaceWith(body);
      documentElement.scrollTop = top;
    } else {
      this.frame.srcdoc = page;
    }
  }
}

for (const panel of panels) {
  const button = panel.querySelector("[data-preview]");
  if (button) {
    new Preview(button, panel);
  }
}

const list = group.querySelector("[role=tablist]");
const isNarrow = matchMedia("(max-width: 79.99rem)");
const tabs = panels.map((panel) => {
  const tab = document.createElement("button");
  tab.type = "button";
  tab.role = "tab";
  tab.id = `${panel.id}-tab`;
  tab.setAttribute("aria-controls", panel.id);
  tab.append(...[...panel.querySelector("h3").children].filter((part) => !part.matches(".delete")).map((part) => part.cloneNode(true)));
  tab.addEventListener("click", () => choose(panel));
  list.append(tab);
  return tab;
});
let chosen = panels.find((panel) => panel.querySelector(".errorlist")) ?? panels[0];

function choose(panel) {
  chosen = panel;
  list.hidden = !isNarrow.matches || panels.length < 2;
  for (const [number, one] of panels.entries()) {
    one.hidden = !list.hidden && one !== chosen;
    one.setAttribute("aria-labelledby", list.hidden ? `${one.id}-heading` : tabs[number].id);
    one.role = list.hidden ? null : "tabpanel";
    tabs[number].ariaSelected = String(one === chosen);
    tabs[number].tabIndex = one === chosen ? 0 : -1;
  }
}

list.addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (step) {
    const next = (panels.indexOf(chosen) + step + panels.length) % panels.length;
    choose(panels[next]);
    tabs[next].focus();
  }
});
isNarrow.addEventListener("change", () => choose(chosen));
// An error that is told above leads to its field, wherever that is.
document.addEventListener("click", (event) => {
  const target = event.target.closest?.("a[href^='#']")?.hash;
  const panel = target && document.getElementById(target.slice(1))?.closest(".texts .inline-related");
  if (panel) {
    choose(panel);
  }
});
if (panels.length) {
  choose(chosen);
}

// What a kind of announcement needs is folded for the others.
document.getElementById("id_kind")?.addEventListener("change", (event) => {
  const first = { event: "id_begins_at", call: "id_deadline_at" }[event.target.value];
  const fold = first && document.getElementById(first)?.closest("details");
  if (fold) {
    fold.open = true;
  }
});
