import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PNG } from "pngjs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { HistoryRow } from "../../src/protocol/job.ts";
import { history, type Program, Shop, until } from "./processes.ts";

const menu = fileURLToPath(new URL("../../docs/samples/menu-ja.txt", import.meta.url));

/** What the history is asked for, by real processes. */
describe("the history", () => {
  let shop: Shop;
  let box: Program;
  let boxUrl: string;
  let clientUrl: string;

  beforeEach(async () => {
    shop = new Shop();
    await shop.startPrinter("--speed", "fast");
    box = shop.start("box", "--json", "--port", "0", ...shop.printerFlags);
    boxUrl = await box.ready();
    clientUrl = await shop.startAs("till", "client", "--json", "--name", "till-1", "--server", boxUrl).ready();
  });
  afterEach(() => shop.close());

  async function print(title: string, from: string): Promise<void> {
    const flags = ["--server", boxUrl, "--wait", "--title", title, "--from", from];
    expect(await shop.startAs("till", "print", ...flags, menu).exited).toBe(0);
  }

  const read = (...flags: string[]): Promise<string[]> => run("history", ...flags);

  async function run(verb: string, ...flags: string[]): Promise<string[]> {
    const program = shop.startAs("till", verb, "--server", boxUrl, ...flags);
    expect(await program.exited, program.log.join("\n")).toBe(0);
    return program.lines.map((line) => String(line["text"] ?? JSON.stringify(line)));
  }

  it("is filtered and exported, and a title never becomes a formula", async () => {
    await print("=1+1", "client");
    await print("plain", "server");
    const [head, ...lines] = await read("--csv");
    expect(head).toContain("jobId,title,printer,client,requestedAt,startedAt,endedAt");
    expect(lines.map((line) => line.split(",")[1])).toEqual(["plain", "'=1+1"]);
    const rows = (await read("--jsonl", "--sent-by", "client", "--since", "1h")).map(
      (line) => JSON.parse(line) as HistoryRow,
    );
    expect(rows).toMatchObject([{ title: "=1+1", clientName: "till-1", source: "client", resolutionDpi: 203 }]);
    expect(JSON.parse((await read("--json", "--text", "PLAIN")).join("\n"))).toMatchObject({
      rows: [{ title: "plain" }],
    });
    expect(await read("--until", "yesterday")).toEqual(["nothing has been printed yet"]);
    expect((await read("--long", "--text", "plain")).join("\n")).toMatch(/paper +\d+ mm/);
    expect(await (await fetch(`${boxUrl}/api/history.csv`)).text()).toContain("'=1+1");
    const [row] = await history(boxUrl);
    expect(row?.startedHereMs).toBeGreaterThanOrEqual(row?.requestedHereMs ?? Number.NaN);
  });

  it("is printed in the reader's language, as a job like any other", async () => {
    await print("伝票 1", "client");
    for (const language of ["ja", "en"]) {
      const printing = shop.startAs("till", "history", "--print", "--json", "--lang", language, "--server", boxUrl);
      expect(await printing.exited, printing.log.join("\n")).toBe(0);
      await printing.event("accepted");
    }
    expect((await history(boxUrl)).map((row) => [row.title, row.outcome.outcome])).toEqual([
      ["PRINT HISTORY", "printed"],
      ["印刷履歴", "printed"],
      ["伝票 1", "printed"],
    ]);
    const files = await until(
      async () => readdirSync(shop.paper).filter((name) => name.startsWith("ticket-")),
      (names) => names.length === 3,
      "three tickets",
    );
    for (const name of files.sort().slice(1)) {
      const { width, data } = PNG.sync.read(readFileSync(join(shop.paper, name)));
      // The banner: five rows of black over the whole width, somewhere at the top.
      const isBlack = (y: number): boolean =>
        Array.from({ length: 500 }, (_, x) => data[4 * (y * width + x + ((width - 500) >> 1))]).every(
          (value) => value === 0,
        );
      expect(Array.from({ length: 200 }, (_, y) => y).filter(isBlack).length).toBeGreaterThan(15);
    }
  });

  it("is made for the printer that prints it, and says when there is none of that name", async () => {
    await print("one", "client");
    const flags = ["--print", "--lang", "en", "--server", boxUrl];
    const other = shop.startAs("till", "history", ...flags, "--on", "nowhere");
    expect(await other.exited).toBe(1);
    expect(other.log.join("\n")).toContain("nowhere; there is: kitchen");
    const lang = shop.startAs("till", "history", "--server", boxUrl, "--lang", "ja");
    expect(await lang.exited).toBe(2);
    expect(lang.log.join("\n")).toContain("add --print");
  });

  it("is shown by the client, as it saw it last, while the server is away", async () => {
    await print("one", "client");
    await print("two", "server");
    expect((await history(clientUrl)).map((row) => row.title)).toEqual(["two", "one"]);
    await box.kill();
    const reading = shop.startAs("till", "history", "--csv", "--text", "one", "--server", boxUrl);
    expect(await reading.exited).toBe(0);
    expect(reading.lines.map((line) => String(line["text"]).split(",")[1])).toEqual(["title", "one"]);
    expect(reading.log.join("\n")).toMatch(/this is what the client of this machine saw \d+ (second|minute)s? ago/);
  });

  it("becomes statistics", async () => {
    await print("one", "client");
    const text = (await run("stats", "--since", "1h")).join("\n");
    expect(text).toMatch(/^kitchen +1 +1 +0 +0 +1 +0\.\d\d m +1\/0 +0 +\d+\.\d\/\d+\.\d s/m);
    expect(text).toContain("Nothing stands out.");
  });

  it("refuses what makes no sense with a sentence", async () => {
    const cases: [string[], number, string][] = [
      [["--limit", "0"], 2, "--limit 0: expected a whole number from 1"],
      [["--since", "soon"], 2, "--since soon: expected a time such as 2026-11-23"],
      [["--since", "today", "--until", "yesterday"], 2, "is not before"],
      [["--outcome", "lost"], 2, "--outcome lost: expected one of printed, indeterminate, canceled"],
      [["--csv", "--print"], 2, "choose one"],
      [["--printer", "kitchn"], 1, "kitchn; there is: kitchen"],
    ];
    for (const [flags, code, sentence] of cases) {
      const program = shop.startAs("till", "history", "--server", boxUrl, ...flags);
      expect(await program.exited, sentence).toBe(code);
      expect(program.log.join("\n")).toContain(sentence);
    }
  });
});
