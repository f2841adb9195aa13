// Zoom and pan for the large map: buttons, keys, Ctrl and wheel, two fingers, dragging. The map is
// whole without it. Circles and numbers keep their size, so that what was joined comes apart.
const SMALLEST = 1 / 16;

for (const box of document.querySelectorAll("[data-map-box]")) {
  const map = box.querySelector("[data-map]");
  if (map) enliven(box, map);
}

function enliven(box, map) {
  const whole = map.viewBox.baseVal;
  const all = { x: whole.x, y: whole.y, width: whole.width, height: whole.height };
  let view = { ...all };
  const sized = [...map.querySelectorAll("circle")].map((item) => [item, item.r.baseVal.value]);
  const texts = [...map.querySelectorAll("text")];

  const show = (next) => {
    const width = Math.min(Math.max(next.width, all.width * SMALLEST), all.width);
    const height = (width * all.height) / all.width;
    view = {
      x: Math.min(Math.max(next.x, all.x), all.x + all.width - width),
      y: Math.min(Math.max(next.y, all.y), all.y + all.height - height),
      width,
      height,
    };
    map.setAttribute("viewBox", `${view.x} ${view.y} ${view.width} ${view.height}`);
    const share = view.width / all.width;
    for (const [item, radius] of sized) item.r.baseVal.value = radius * share;
    for (const text of texts) text.style.fontSize = share === 1 ? "" : `${11 * share}px`;
    larger.disabled = view.width <= all.width * SMALLEST * 1.001;
    smaller.disabled = reset.disabled = view.width >= all.width * 0.999;
  };

  const place = (x, y) => {
    const shown = map.getBoundingClientRect();
    return {
      x: view.x + ((x - shown.left) / shown.width) * view.width,
      y: view.y + ((y - shown.top) / shown.height) * view.height,
    };
  };

  // What is at the given place stays there.
  const zoom = (factor, at = { x: view.x + view.width / 2, y: view.y + view.height / 2 }) => {
    const width = Math.min(Math.max(view.width * factor, all.width * SMALLEST), all.width);
    const share = width / view.width;
    show({ x: at.x - (at.x - view.x) * share, y: at.y - (at.y - view.y) * share, width });
  };
  const move = (right, down) =>
    show({ ...view, x: view.x + right * view.width, y: view.y + down * view.height });

  const controls = document.createElement("div");
  controls.className = "mapbox__controls";
  const button = (name, sign, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = sign;
    made.setAttribute("aria-label", name);
    made.title = name;
    made.addEventListener("click", act);
    controls.append(made);
    return made;
  };
  const larger = button(box.dataset.in, "+", () => zoom(0.5));
  const smaller = button(box.dataset.out, "−", () => zoom(2));
  const reset = button(box.dataset.all, "⤢", () => show(all));
  box.prepend(controls);
  show(all);

  map.tabIndex = 0;
  map.addEventListener("keydown", (event) => {
    const acts = {
      "+": () => zoom(0.5),
      "=": () => zoom(0.5),
      "-": () => zoom(2),
      0: () => show(all),
      ArrowLeft: () => move(-0.2, 0),
      ArrowRight: () => move(0.2, 0),
      ArrowUp: () => move(0, -0.2),
      ArrowDown: () => move(0, 0.2),
    };
    const act = acts[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key.startsWith("Arrow") && view.width >= all.width * 0.999) return;
    event.preventDefault();
    act();
  });
  // A circle that gets the focus by the keyboard is brought into view.
  map.addEventListener("focusin", (event) => {
    const circle = event.target.querySelector?.(".dot");
    if (!circle) return;
    const [x, y] = [circle.cx.baseVal.value, circle.cy.baseVal.value];
    const inside =
      x > view.x && x < view.x + view.width && y > view.y && y < view.y + view.height;
    if (!inside) show({ ...view, x: x - view.width / 2, y: y - view.height / 2 });
  });
  map.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && document.activeElement !== map) return;
      event.preventDefault();
      zoom(2 ** (event.deltaY / 400), place(event.clientX, event.clientY));
    },
    { passive: false },
  );

  const fingers = new Map();
  let dragged = 0;
  map.addEventListener("pointerdown", (event) => {
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    dragged = 0;
  });
  map.addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const now = { x: event.clientX, y: event.clientY };
    const others = [...fingers].filter(([id]) => id !== event.pointerId);
    if (others.length === 1) {
      const [, other] = others[0];
      const apart = (point) => Math.hypot(point.x - other.x, point.y - other.y) || 1;
      zoom(apart(before) / apart(now), place((now.x + other.x) / 2, (now.y + other.y) / 2));
    } else if (!others.length && view.width < all.width) {
      const shown = map.getBoundingClientRect();
      move((before.x - now.x) / shown.width, (before.y - now.y) / shown.height);
    }
    dragged += Math.hypot(now.x - before.x, now.y - before.y);
    fingers.set(event.pointerId, now);
  });
  for (const ending of ["pointerup", "pointercancel", "pointerleave"]) {
    map.addEventListener(ending, (event) => fingers.delete(event.pointerId));
  }
  // The end of a drag is no click on what lies under it.
  map.addEventListener(
    "click",
    (event) => {
      if (dragged > 8) event.preventDefault();
    },
    true,
  );
  map.addEventListener("dragstart", (event) => event.preventDefault());
}
