// The live page of the simulator: lamps, faults, and the paper as it comes. Everything arrives as events.
const shownTickets = 50;
const shownNotes = 20;
const zooms = { Fit: "fit", "1 : 1": "one", "2 : 1": "two", "3 : 1": "three" };
const element = (id) => document.getElementById(id);
let run = "";
let stripRows = 512;

function make(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// ---- the state

/** One lamp: its words say what its colour says. */
function lamp({ name, says, level }) {
  return make("li", { className: level }, make("b", {}, name), ` ${says}`);
}

function gauge({ name, says, value, max }) {
  const meter = make("meter", { max, value, high: max * 0.8, ariaLabel: `${name}: ${says}` });
  return make("div", {}, make("span", {}, name), meter, make("span", {}, says));
}

function showState({ lamps, work, gauges, facts, uncut }) {
  element("lamps").replaceChildren(...lamps.map(lamp));
  element("work").textContent = work;
  element("gauges").replaceChildren(...gauges.map(gauge));
  element("facts").replaceChildren(
    ...facts.map(([name, says]) => make("div", {}, make("dt", {}, name), make("dd", {}, says))),
  );
  uncutPaper.want(uncut);
}

// ---- the paper in the printer

/**
 * The uncut paper as strips, of which only those that changed are fetched, one after another. A strip takes its place
 * when its picture is there, so that nothing flickers.
 */
const uncutPaper = {
  wanted: null,
  shown: { top: -1, rows: 0 },
  busy: false,

  want(uncut) {
    this.wanted = uncut;
    if (!this.busy) void this.follow();
  },

  async follow() {
    this.busy = true;
    while (this.differs()) await this.step(this.wanted);
    this.busy = false;
  },

  differs() {
    const { wanted, shown } = this;
    return wanted === null ? shown.rows > 0 : wanted.top !== shown.top || wanted.rows !== shown.rows;
  },

  async step(uncut) {
    const strips = element("strips");
    if (uncut === null || uncut.top !== this.shown.top) this.shown = { top: uncut?.top ?? -1, rows: 0 };
    const { top, rows: before } = this.shown;
    const rows = uncut?.rows ?? 0;
    const count = Math.ceil(rows / stripRows);
    const asked = run;
    for (let number = Math.floor(before / stripRows); number < count; number += 1) {
      const picture = make("img", { src: `uncut/${number}.png?${asked}-${top}-${rows}`, alt: "" });
      const there = await picture.decode().then(
        () => true,
        () => false,
      );
      if (run !== asked) return;
      if (!there) break;
      setWidth(picture, uncut.widthDots);
      if (strips.children[number] === undefined) strips.append(picture);
      else strips.children[number].replaceWith(picture);
    }
    while (strips.children.length > count) strips.lastElementChild.remove();
    this.shown = { top, rows };
    const says = rows === 0 ? "No paper hangs out of the printer" : `Paper not cut yet, ${rows} rows`;
    element("stage").ariaLabel = says;
    strips.classList.toggle("filled", rows > 0);
    if (rows > 0) element("empty").hidden = true;
    element("stage").scrollTop = element("stage").scrollHeight;
  },
};

/** The dots of the picture, for the style sheet's sizes. */
function setWidth(picture, widthDots) {
  picture.style.setProperty("--dots", widthDots);
}

// ---- cut paper

function showTicket({ number, widthDots, heightDots, millimetres, text, cut }) {
  if (element(`ticket-${number}`) !== null) return;
  const picture = make("img", { src: `paper/${number}.png`, width: widthDots, height: heightDots, loading: "lazy" });
  picture.alt = text === "" ? `Ticket ${number}, without text` : text;
  setWidth(picture, widthDots);
  const link = make("a", { href: `paper/${number}.png`, download: `ticket-${number}.png` }, "PNG");
  link.ariaLabel = `Ticket ${number} as PNG`;
  const says = `Ticket ${number}: ${millimetres} mm, ${widthDots} × ${heightDots} dots, ${cut} cut `;
  const figure = make(
    "figure",
    {},
    make("figcaption", {}, says, link),
    make("div", { className: `sheet ${cut}` }, picture),
  );
  const roll = element("roll");
  roll.prepend(make("li", { id: `ticket-${number}` }, figure));
  while (roll.children.length > shownTickets) roll.lastElementChild.remove();
  element("empty").hidden = true;
}

// ---- the wire

function showNote({ number, kind, text }) {
  if (element(`note-${number}`) !== null) return;
  const notes = element("notes");
  notes.prepend(make("li", { id: `note-${number}`, className: kind }, make("b", {}, kind), ` ${text}`));
  while (notes.children.length > shownNotes) notes.lastElementChild.remove();
  element("silent").hidden = true;
}

// ---- faults

async function fail(fault) {
  try {
    const answer = await fetch("faults", { method: "POST", headers: { "content-type": "text/plain" }, body: fault });
    element("told").textContent = answer.ok ? `Done: ${fault}` : await answer.text();
  } catch {
    element("told").textContent = "The simulator does not answer.";
  }
}

function faultButton({ fault, says, remedy }) {
  const className = remedy ? "remedy" : "fault";
  const button = make("button", { type: "button", className, title: says }, fault.replaceAll("-", " "));
  button.dataset.fault = fault;
  button.addEventListener("click", () => fail(fault));
  return button;
}

function faultGroup({ name, faults }) {
  return make("fieldset", {}, make("legend", {}, name), ...faults.map(faultButton));
}

element("other").addEventListener("submit", (event) => {
  event.preventDefault();
  const fault = element("typed").value.trim();
  if (fault !== "") void fail(fault);
});

// ---- the size of the paper

function zoomTo(size) {
  element("paper").dataset.zoom = size;
  for (const button of element("zoom").querySelectorAll("button"))
    button.ariaPressed = String(button.dataset.zoom === size);
}

element("zoom").append(
  ...Object.entries(zooms).map(([name, size]) => {
    const button = make("button", { type: "button" }, name);
    button.dataset.zoom = size;
    button.addEventListener("click", () => zoomTo(size));
    return button;
  }),
);
zoomTo("fit");
// What scrolls must be reached by the keyboard, too.
element("stage").tabIndex = 0;

// ---- the events

/** The first event of every connection. After a restart of the simulator the old paper is not its paper any more. */
function begin(hello) {
  element("away").hidden = true;
  document.body.classList.remove("away");
  if (hello.run === run) return;
  run = hello.run;
  stripRows = hello.stripRows;
  document.title = `${hello.profile} (simulated printer)`;
  element("profile").textContent = hello.profile;
  element("about").textContent =
    hello.about + (hello.port === null ? "" : `. Print to socket://${location.hostname}:${hello.port}`);
  element("faults").replaceChildren(...hello.groups.map(faultGroup));
  for (const id of ["roll", "notes", "strips"]) element(id).replaceChildren();
  uncutPaper.shown = { top: -1, rows: 0 };
  element("strips").classList.remove("filled");
  element("empty").hidden = false;
  element("silent").hidden = false;
  element("told").textContent = "";
}

function listen() {
  const events = new EventSource("events");
  const on = (name, show) => events.addEventListener(name, (event) => show(JSON.parse(event.data)));
  on("hello", begin);
  on("state", showState);
  on("ticket", showTicket);
  on("note", showNote);
  events.addEventListener("error", () => {
    element("away").hidden = false;
    document.body.classList.add("away");
    // The browser tries again by itself, except after a refusal.
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
  });
}

listen();
