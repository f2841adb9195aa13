// Pictures and attachments of an announcement: dropped, dragged into another order, shown before
// they are saved, and cut around the point that is clicked on. The fields do the same without it.
const ROW = ".inline-related:not(.empty-form)";
const words = document.querySelector("[data-announcement-files]").dataset;

// With all that is typed the portal takes 12 MiB at once (config/serving/bodies.py).
const MOST_TOGETHER = 11.5 * 1024 * 1024;

const rowsOf = (group) => [...group.querySelectorAll(ROW)];
const fileOf = (row) => row.querySelector("input[type=file]");
const isEmpty = (row) => !row.classList.contains("has_original") && !fileOf(row)?.files.length;
const numberOf = (row, name) => row.querySelector(`input[name$="-${name}"]`);

// A row with a file comes behind the others, unless somebody gave it a place.
function append(group, row) {
  const field = numberOf(row, "position");
  if (field && field.value === "" && !isEmpty(row)) {
    const others = rowsOf(group).map((other) => Number(numberOf(other, "position").value));
    field.value = Math.max(...others) + 1;
  }
}

// As their rows stand on the page; an empty row has no place.
function number(group) {
  const filled = rowsOf(group).filter((row) => !isEmpty(row));
  for (const [place, row] of filled.entries()) {
    const field = numberOf(row, "position");
    if (field) {
      field.value = place + 1;
    }
  }
}

// Told before they are sent: the portal would answer without having read the form.
function refuseTooMuch(event) {
  let sum = 0;
  for (const input of document.querySelectorAll(`${ROW} input[type=file]`)) {
    sum += input.files[0]?.size ?? 0;
    const isTooMuch = sum > MOST_TOGETHER && input.files.length > 0;
    input.setCustomValidity(isTooMuch ? words.together : "");
    if (isTooMuch) {
      event.preventDefault();
      event.stopImmediatePropagation();
      input.reportValidity();
      return;
    }
  }
}

document.addEventListener("submit", refuseTooMuch, true);

function emptyRow(group) {
  const found = rowsOf(group).find((row) => fileOf(row) && isEmpty(row));
  if (found) {
    return found;
  }
  group.querySelector(".add-row a")?.click();
  return rowsOf(group).find((row) => fileOf(row) && isEmpty(row));
}

function take(group, files) {
  for (const file of files) {
    const row = emptyRow(group);
    if (!row) {
      return;
    }
    const chosen = new DataTransfer();
    chosen.items.add(file);
    fileOf(row).files = chosen.files;
    fileOf(row).dispatchEvent(new Event("change", { bubbles: true }));
  }
}

function showMark(row) {
  const frame = row.querySelector(".focal");
  const mark = frame?.querySelector(".focal__mark");
  if (mark) {
    mark.style.left = `${numberOf(row, "focus_x").value || 50}%`;
    mark.style.top = `${numberOf(row, "focus_y").value || 50}%`;
  }
}

// The picture in a frame that takes clicks, where the person may write the fields.
function frame(row, image) {
  if (!numberOf(row, "focus_x")) {
    return;
  }
  const box = document.createElement("span");
  const mark = document.createElement("span");
  box.className = "focal";
  box.title = words.focus;
  mark.className = "focal__mark";
  image.replaceWith(box);
  box.append(image, mark);
  showMark(row);
}

function show(row) {
  const place = row.querySelector(".field-preview .readonly");
  const [file] = fileOf(row).files;
  if (!place || !file?.type.startsWith("image/")) {
    return;
  }
  const reader = new FileReader();
  reader.addEventListener("load", () => {
    const image = new Image();
    image.className = "preview";
    image.alt = file.name;
    image.height = 160;
    image.src = reader.result;
    place.replaceChildren(image);
    frame(row, image);
  });
  reader.readAsDataURL(file);
}

function prepare(row) {
  row.querySelector("h3").draggable = true;
  row.querySelector("h3").title = words.drag;
  const image = row.querySelector("img.preview");
  if (image && !image.closest(".focal")) {
    frame(row, image);
  }
}

for (const group of document.querySelectorAll("#pictures-group, #attachments-group")) {
  if (!group.querySelector("input[type=file]")) {
    continue;
  }
  let dragged = null;
  const hint = document.createElement("p");
  hint.className = "help dropzone";
  hint.textContent = words.drop;
  group.querySelector("h2").after(hint);
  rowsOf(group).forEach(prepare);
  group.addEventListener("formset:added", (event) => prepare(event.target));

  group.addEventListener("dragstart", (event) => {
    dragged = event.target.closest?.("h3")?.closest(ROW) ?? null;
    event.dataTransfer.effectAllowed = "move";
  });
  group.addEventListener("dragend", () => {
    dragged = null;
  });
  group.addEventListener("dragover", (event) => {
    if (dragged || event.dataTransfer.types.includes("Files")) {
      event.preventDefault();
    }
  });
  group.addEventListener("drop", (event) => {
    if (event.dataTransfer.files.length) {
      event.preventDefault();
      take(group, event.dataTransfer.files);
    } else if (dragged) {
      event.preventDefault();
      const row = event.target.closest(ROW);
      if (row && row !== dragged) {
        const { top, height } = row.getBoundingClientRect();
        row[event.clientY < top + height / 2 ? "before" : "after"](dragged);
        number(group);
      }
    }
  });

  group.addEventListener("change", (event) => {
    if (event.target.type === "file") {
      const row = event.target.closest(ROW);
      show(row);
      append(group, row);
    }
  });
  group.addEventListener("input", (event) => {
    if (/-focus_[xy]$/.test(event.target.name)) {
      showMark(event.target.closest(ROW));
    }
  });
  group.addEventListener("click", (event) => {
    const box = event.target.closest(".focal");
    if (!box) {
      return;
    }
    const row = box.closest(ROW);
    const area = box.getBoundingClientRect();
    numberOf(row, "focus_x").value = Math.round(((event.clientX - area.left) / area.width) * 100);
    numberOf(row, "focus_y").value = Math.round(((event.clientY - area.top) / area.height) * 100);
    showMark(row);
  });
}
