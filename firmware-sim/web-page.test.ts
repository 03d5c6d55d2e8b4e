import { type IncomingMessage, request } from "node:http";
import { PNG } from "pngjs";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Simulator, startSimulator } from "./simulator.ts";
import { CUT, INITIALIZE, stream } from "./test-bytes.ts";
import { startWebPage, type WebPage } from "./web-page.ts";

let simulator: Simulator;
let page: WebPage;
beforeEach(async () => {
  simulator = await startSimulator();
  page = await startWebPage(simulator, 0);
});
afterEach(async () => {
  await page.close();
  await simulator.close();
});

interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

function open(path: string, { method = "GET", headers = {}, body = "" }: Ask = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = request(`${page.url}${path}`, { method, headers, agent: false }, resolve);
    asked.once("error", reject);
    asked.end(body);
  });
}

async function get(path: string, ask: Ask = {}) {
  const response = await open(path, ask);
  const pieces: Buffer[] = [];
  for await (const piece of response) pieces.push(piece as Buffer);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(pieces) };
}

/** The events of the page, one after another. */
async function* eventsOf(response: IncomingMessage): AsyncGenerator<{ readonly name: string; readonly data: unknown }> {
  let text = "";
  for await (const piece of response.setEncoding("utf8")) {
    text += piece;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const [, name, data = "null"] = /^event: (.*)\ndata: (.*)$/.exec(text.slice(0, end)) ?? [];
      text = text.slice(end + 2);
      if (name !== undefined) yield { name, data: JSON.parse(data) };
    }
  }
}

const post = (body: string, headers: Readonly<Record<string, string>> = {}) =>
  get("faults", { method: "POST", headers: { origin: page.url.slice(0, -1), ...headers }, body });

async function print(text: string): Promise<void> {
  const connection = simulator.connect();
  await connection.write(stream(INITIALIZE, text, CUT));
  await simulator.printed();
  connection.close();
}

it("has no inline script and may load nothing from elsewhere", async () => {
  const { status, headers, body } = await get("");
  expect(status).toBe(200);
  expect(headers["content-security-policy"]).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self'; /);
  expect(headers["content-security-policy"]).not.toContain("unsafe");
  const html = body.toString();
  expect(html).not.toMatch(/<script(?![^>]* src=)|<style|\son\w+=|style=/);
  for (const [, name] of html.matchAll(/(?:src|href)="(page\.\w+)"/g)) expect((await get(name ?? "")).status).toBe(200);
});

it("shows every ticket, the newest last told, and its paper as PNG", async () => {
  await print("one\n");
  const events = eventsOf(await open("events"));
  const next = async () => (await events.next()).value;
  expect(await next()).toMatchObject({
    name: "hello",
    data: { profile: "tm-m30iii", about: expect.stringContaining("203 dpi") },
  });
  expect(await next()).toMatchObject({ name: "ticket", data: { number: 1, text: "one", widthDots: 576 } });
  expect(await next()).toMatchObject({ name: "state", data: { uncut: null, work: "Nothing to do." } });
  await print("two\n");
  let event = await next();
  while (event?.name !== "ticket") event = await next();
  expect(event.data).toMatchObject({ number: 2, text: "two" });
  const { status, headers, body } = await get("paper/2.png");
  expect([status, headers["content-type"]]).toEqual([200, "image/png"]);
  expect(PNG.sync.read(body).height).toBe(simulator.paper[1]?.heightDots);
  expect((await get("paper/3.png")).status).toBe(204);
  expect((await get("uncut/0.png")).status).toBe(204);
  expect((await get("uncut.png")).status).toBe(404);
});

it("gives the uncut paper in strips", async () => {
  const connection = simulator.connect();
  await connection.write(stream(INITIALIZE, "\n".repeat(20)));
  const events = eventsOf(await open("events"));
  let { value } = await events.next();
  while (value?.name !== "state") ({ value } = await events.next());
  const rows = simulator.uncut?.heightDots ?? 0;
  expect(rows).toBeGreaterThan(512);
  expect(value.data).toMatchObject({ uncut: { top: 0, rows, widthDots: 576 } });
  const heights = await Promise.all(["uncut/0.png", "uncut/1.png"].map(async (path) => (await get(path)).body));
  expect(heights.map((body) => PNG.sync.read(body).height)).toEqual([512, rows - 512]);
  connection.close();
});

it("tells what goes over the wire and what a person did, once", async () => {
  const connection = simulator.connect();
  await connection.write(stream("\x10\x04\x01", "\x1b\x01", "\x1bp\x00\x19\xfa"));
  expect((await post("slow=4")).status).toBe(204);
  const events = eventsOf(await open("events"));
  const notes: unknown[] = [];
  for (let { value } = await events.next(); value?.name !== "state"; { value } = await events.next()) {
    if (value?.name === "note") notes.push(value.data);
  }
  expect(notes).toEqual([
    { number: 1, kind: "fault", text: "slow=4" },
    { number: 2, kind: "diagnostic", text: expect.stringMatching(/^unknown .*1B 01/) },
    { number: 3, kind: "drawer", text: "pulse on pin 2, 50 ms" },
    { number: 4, kind: "reply", text: "to connection 1: 12" },
  ]);
  connection.close();
});

it("carries faults out and tells the lamps", async () => {
  const events = eventsOf(await open("events"));
  const lamps = async () => {
    for (;;) {
      const { value } = await events.next();
      if (value === undefined) throw new Error("the events ended");
      if (value.name !== "state") continue;
      const state = value.data as { readonly lamps: readonly { readonly name: string; readonly says: string }[] };
      return Object.fromEntries(state.lamps.map(({ name, says }) => [name, says]));
    }
  };
  const well = { online: "yes", paper: "there", cover: "closed", error: "none", drawer: "shut" };
  expect(await lamps()).toEqual(well);
  expect((await post("cover-open")).status).toBe(204);
  expect(await lamps()).toEqual({ ...well, online: "no", cover: "open" });
  expect((await post("cover-closed")).status).toBe(204);
  expect(await lamps()).toEqual(well);
  expect((await post("paper-end")).status).toBe(204);
  expect(await lamps()).toEqual({ ...well, online: "no", paper: "end" });
  expect((await post("power-cut")).status).toBe(204);
  expect(await lamps()).toMatchObject({ online: "power off" });
});

it.each<[string, () => ReturnType<typeof get>, number]>([
  ["another name for this address", () => get("", { headers: { host: "rebound.example" } }), 421],
  ["a read of another origin", () => get("events", { headers: { origin: "http://other.example" } }), 403],
  ["a fault of another origin", () => post("paper-end", { origin: "http://other.example" }), 403],
  ["a fault of no origin", () => get("faults", { method: "POST", body: "paper-end" }), 403],
  ["a fault that is none", () => post("fire"), 400],
  ["a fault without end", () => post("x".repeat(1000)), 413],
  ["a fault by GET", () => get("faults"), 405],
  ["another method", () => get("", { method: "DELETE" }), 405],
  ["a way out of the folder", () => get("..%2f..%2fpackage.json"), 404],
])("refuses %s", async (_, ask, status) => {
  expect((await ask()).status).toBe(status);
  expect(simulator.state.online).toBe(true);
});

it("says when its port is taken", async () => {
  await expect(startWebPage(simulator, page.port)).rejects.toThrow(/EADDRINUSE/);
});
