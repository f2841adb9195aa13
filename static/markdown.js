// A field of Markdown: its toolbar and shortcuts, its number of words, and what is pasted into it.
const WORD = /[\p{L}\p{N}]+(?:[’'-][\p{L}\p{N}]+)*/gu;
// What an editor of code puts into the clipboard has none of these, and is pasted as it is.
const FORMATTED = /<(?:a|b|strong|i|em|p|h[1-6]|li|table|blockquote)\b/i;
const MOST_HTML = 500000;
const NUMBERED = /^\d+[.)] /;
const POINT = /^[-*+] /;
const QUOTED = /^> ?/;
const HEADING = /^#{1,6} /;

// By what a line of each kind is known, what else would stand in its place, and how it begins.
const LINES = {
  heading: { mark: HEADING, others: [HEADING], begin: () => "## " },
  list: { mark: POINT, others: [NUMBERED], begin: () => "- " },
  numbers: { mark: NUMBERED, others: [POINT], begin: (number) => `${number}. ` },
  quote: { mark: QUOTED, others: [], begin: () => "> " },
};
const AROUND = { bold: "**", italic: "*" };

class Editor {
  constructor(box) {
    this.box = box;
    this.field = box.querySelector("textarea");
    this.tools = box.querySelector("[role=toolbar]");
    this.status = box.querySelector("[role=status]");
    this.buttons = [...this.tools.querySelectorAll("button")];
    this.tools.ariaLabel += `: ${this.field.labels[0]?.textContent.replace(/:$/, "") ?? ""}`;
    this.tools.hidden = false;
    this.tools.addEventListener("click", (event) => this.use(event.target.closest("button")?.dataset.tool));
    this.tools.addEventListener("keydown", (event) => this.walk(event));
    this.field.addEventListener("keydown", (event) => this.press(event));
    this.field.addEventListener("paste", (event) => this.paste(event));
    this.field.addEventListener("input", () => this.count());
    this.count();
  }

  count() {
    const words = this.field.value.match(WORD)?.length ?? 0;
    this.tools.querySelector("[data-words]").textContent = words.toLocaleString(document.documentElement.lang);
  }

  // One stop of the Tab key; the arrows lead from button to button.
  walk(event) {
    const last = this.buttons.length - 1;
    const now = this.buttons.indexOf(document.activeElement);
    const to = { ArrowRight: now < last ? now + 1 : 0, ArrowLeft: now > 0 ? now - 1 : last, Home: 0, End: last }[event.key];
    if (to === undefined) {
      return;
    }
    event.preventDefault();
    this.buttons.forEach((button, number) => (button.tabIndex = number === to ? 0 : -1));
    this.buttons[to].focus();
  }

  press(event) {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) {
      return;
    }
    // With Shift a digit is another sign on every keyboard.
    const key = event.code.startsWith("Digit") ? event.code.slice(-1) : event.key.toUpperCase();
    const keys = `Control+${event.shiftKey ? "Shift+" : ""}${key}`;
    const button = this.buttons.find((one) => one.getAttribute("aria-keyshortcuts") === keys);
    if (button) {
      event.preventDefault();
      this.use(button.dataset.tool);
    }
  }

  use(tool) {
    if (tool in AROUND) {
      this.surround(AROUND[tool]);
    } else if (tool in LINES) {
      this.turnLines(LINES[tool]);
    } else if (tool === "link") {
      this.link();
    } else if (tool === "picture") {
      const pictures = "#pictures-group :is(input[type=file], .add-row a), #id_picture";
      document.querySelector(pictures)?.focus();
    }
  }

  // As if it was typed: the browser can undo it, and whoever listens hears of it.
  write(start, end, text, from = start + text.length, to = from) {
    this.field.focus();
    this.field.setSelectionRange(start, end);
    if (!document.execCommand(text ? "insertText" : "delete", false, text)) {
      this.field.setRangeText(text, start, end, "end");
      this.field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    this.field.setSelectionRange(from, to);
  }

  // The selection without the blanks at its ends, between which no sign would count.
  selected() {
    const { selectionStart, selectionEnd, value } = this.field;
    const text = value.slice(selectionStart, selectionEnd);
    const start = text.trim() ? selectionStart + text.length - text.trimStart().length : selectionStart;
    return { start, end: text.trim() ? start + text.trim().length : selectionEnd, text: text.trim() };
  }

  surround(sign) {
    const { start, end, text } = this.selected();
    const { value } = this.field;
    const length = sign.length;
    const isOwn = (before, after) => before.at(-length - 1) !== "*" && after.at(length) !== "*";
    const before = value.slice(0, start);
    const after = value.slice(end);
    if (before.endsWith(sign) && after.startsWith(sign) && isOwn(before, after)) {
      this.write(start - length, end + length, text, start - length, end - length);
    } else if (text.length > 2 * length && text.startsWith(sign) && text.endsWith(sign) && text[length] !== "*") {
      this.write(start, end, text.slice(length, -length), start, end - 2 * length);
    } else {
      this.write(start, end, sign + text + sign, start + length, end + length);
    }
  }

  turnLines({ mark, others, begin }) {
    const { selectionStart, selectionEnd, value } = this.field;
    const start = value.lastIndexOf("\n", selectionStart - 1) + 1;
    const next = value.indexOf("\n", Math.max(selectionEnd - 1, selectionStart));
    const end = next < 0 ? value.length : next;
    const lines = value.slice(start, end).split("\n");
    const isWhole = lines.every((line) => mark.test(line) || (!line && lines.length > 1));
    let number = 0;
    const turned = lines.map((line) => {
      const bare = [mark, ...others].reduce((text, one) => text.replace(one, ""), line);
      if (isWhole) {
        return bare;
      }
      return line || lines.length === 1 ? begin((number += 1)) + bare : line;
    });
    const text = turned.join("\n");
    const from = lines.length === 1 ? Math.max(selectionEnd + text.length - (end - start), start) : start;
    this.write(start, end, text, from, lines.length === 1 ? from : start + text.length);
  }

  link() {
    const { start, end, text } = this.selected();
    if (/^https?:\/\/\S+$/.test(text)) {
      this.write(start, end, `[](${text})`, start + 1);
    } else {
      const address = start + text.length + 3;
      this.write(start, end, `[${text}](https://)`, text ? address : start + 1, text ? address + 8 : start + 1);
    }
  }

  // The plain text at once, and its Markdown in its place when the portal has made it.
  async paste(event) {
    const html = event.clipboardData.getData("text/html");
    if (!FORMATTED.test(html)) {
      return;
    }
    event.preventDefault();
    const plain = event.clipboardData.getData("text/plain").replace(/\r\n?/g, "\n");
    const start = this.field.selectionStart;
    this.write(start, this.field.selectionEnd, plain);
    const markdown = html.length > MOST_HTML ? null : await this.markdownOf(html).catch(() => null);
    this.status.textContent = markdown === null ? this.status.dataset.plain : "";
    const end = start + plain.length;
    if (markdown === null || markdown === plain || this.field.value.slice(start, end) !== plain) {
      return;
    }
    const caret = this.field.selectionEnd;
    this.write(start, end, markdown, caret < end ? caret : caret + markdown.length - plain.length);
    this.status.textContent = this.status.dataset.pasted;
  }

  async markdownOf(html) {
    const { csrfmiddlewaretoken } = this.field.form.elements;
    const body = new URLSearchParams({ html, csrfmiddlewaretoken: csrfmiddlewaretoken.value });
    const answer = await fetch(this.box.dataset.markdown, { method: "POST", body, redirect: "manual" });
    return answer.ok ? (await answer.json()).markdown : null;
  }
}

for (const box of document.querySelectorAll("[data-markdown]")) {
  new Editor(box);
}
