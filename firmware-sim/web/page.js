// The live page of the simulator: lamps, faults, and the paper as it comes. Everything arrives as events.
const element = (id) => document.getElementById(id);
const shownTickets = 50;
let run = "";
let headRow = -1;

/** One lamp: its words say what its colour says. */
function lamp({ name, says, level }) {
  const item = document.createElement("li");
  item.className = level;
  item.textContent = `${name}: ${says}`;
  return item;
}

function showState(state) {
  element("lamps").replaceChildren(...state.lamps.map(lamp));
  element("work").textContent = state.work;
  if (state.headRow === headRow) return;
  headRow = state.headRow;
  const uncut = element("uncut");
  uncut.hidden = !state.uncut;
  if (state.uncut) uncut.querySelector("img").src = `uncut.png?row=${headRow}`;
}

function showTicket({ number, widthDots, heightDots, millimetres, text }) {
  if (document.getElementById(`ticket-${number}`) !== null) return;
  const picture = document.createElement("img");
  picture.src = `paper/${number}.png`;
  picture.width = widthDots;
  picture.height = heightDots;
  picture.alt = text === "" ? `Ticket ${number}, without text` : text;
  const caption = document.createElement("figcaption");
  caption.textContent = `ticket ${number}: ${widthDots} x ${heightDots} dots, ${millimetres} mm long`;
  const figure = document.createElement("figure");
  figure.append(picture, caption);
  const item = document.createElement("li");
  item.id = `ticket-${number}`;
  item.append(figure);
  const roll = element("roll");
  roll.prepend(item);
  while (roll.children.length > shownTickets) roll.lastElementChild.remove();
  element("empty").hidden = true;
}

async function fail(fault) {
  try {
    const answer = await fetch("faults", { method: "POST", headers: { "content-type": "text/plain" }, body: fault });
    element("told").textContent = answer.ok ? `${fault}: done` : await answer.text();
  } catch {
    element("told").textContent = "The simulator does not answer any more.";
  }
}

function faultButton(fault) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = fault.replaceAll("-", " ");
  button.addEventListener("click", () => fail(fault));
  return button;
}

/** The first event of every connection. After a restart of the simulator the old paper is not its paper any more. */
function begin(hello) {
  if (hello.run === run) return;
  run = hello.run;
  headRow = -1;
  element("profile").textContent = hello.profile;
  element("faults").replaceChildren(...hello.faults.map(faultButton));
  element("roll").replaceChildren();
  element("empty").hidden = false;
}

const events = new EventSource("events");
const on = (name, show) => events.addEventListener(name, (event) => show(JSON.parse(event.data)));
on("hello", begin);
on("state", showState);
on("ticket", showTicket);
events.addEventListener("error", () => {
  element("lamps").replaceChildren(lamp({ name: "simulator", says: "away", level: "bad" }));
});
