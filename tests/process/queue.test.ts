import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { PrinterView } from "../../src/protocol/api.ts";
import { freePort, getJson, history, jobs, type Program, Shop, until } from "./processes.ts";

const document = fileURLToPath(new URL("../../docs/samples/menu-ja.txt", import.meta.url));

/** A box with two printers, one without paper, and the verbs that order its queues. */
describe("the queue", () => {
  let shop: Shop;
  let url: string;
  let empty: Program;

  beforeEach(async () => {
    shop = new Shop();
    await shop.startPrinter();
    empty = shop.start("sim", "--json", "--tcp", "0", "--profile", "tm-m30iii", "--fault", "paper-end");
    const emptyPort = Number((await empty.event("ready")).port);
    url = `http://127.0.0.1:${await freePort()}`;
    const config = shop.write(
      "queue.toml",
      `${[
        ["kitchen", emptyPort],
        ["bar", shop.printerPort],
      ]
        .map(
          ([name, port]) => `[[printers]]\nname = "${name}"\nuri = "socket://127.0.0.1:${port}"\nmodel = "tm-m30iii"\n`,
        )
        .join("")}[retention]\nkeepEndedMinutes = 5\n`,
    );
    await shop.start("box", "--json", "--port", new URL(url).port, "--config", config).ready();
    await shop.startAs("till", "client", "--json", "--server", url).ready();
    const printers = () => getJson<{ printers: PrinterView[] }>(`${url}/api/printers`);
    await until(printers, (answer) => answer.printers.every(({ linked }) => linked), "both printers");
  });
  afterEach(() => shop.close());

  async function run(...args: string[]): Promise<{ code: number | null; said: string }> {
    const program = shop.startAs("till", ...args, "--server", url);
    const code = await program.exited;
    return { code, said: program.lines.map((line) => String(line["text"] ?? JSON.stringify(line))).join("\n") };
  }

  async function submit(printer: string, ...flags: string[]): Promise<string> {
    const args = ["print", "--json", "--printer", printer, "--server", url, ...flags, document];
    const program = shop.startAs("till", ...args);
    const { jobId } = await program.event("accepted");
    return String(jobId);
  }

  it("a job goes on at another printer, and prints once", async () => {
    const jobId = await submit("kitchen", "--spool", "client");
    const { code, said } = await run("move", jobId, "bar");
    expect([code, said]).toEqual([0, expect.stringContaining("moved to bar, as ")]);
    const rows = await until(
      () => history(url),
      (list) => list.some(({ outcome }) => outcome.outcome === "printed"),
      "the moved job on paper",
    );
    expect(rows.map((row) => [row.printer, row.outcome.outcome, row.movedFrom ?? row.resolution]).sort()).toEqual([
      ["bar", "printed", jobId],
      ["kitchen", "canceled", "moved"],
    ]);
    expect(await shop.ticketsOnce(1)).toHaveLength(1);
    empty.child.stdin?.write("paper-loaded\n");
    expect((await run("move", jobId, "bar")).code).toBe(1);
    expect(await jobs(url)).toEqual([]);
  });

  it("a paused printer waits until it is resumed", async () => {
    expect((await run("pause", "bar", "--reason", "new roll")).said).toContain("paused (new roll)");
    const jobId = await submit("bar");
    const shown = await run("show", jobId);
    expect(shown.said).toContain("waits until a person resumes the printer (new roll)");
    expect((await run("printers")).said).toContain("paused: new roll");
    expect(shop.tickets).toEqual([]);
    expect((await run("resume", "bar")).code).toBe(0);
    await until(
      async () => shop.tickets,
      (tickets) => tickets.length === 1,
      "the ticket",
    );
  });

  it("an ended job is printed again, marked or as it was", async () => {
    const jobId = await submit("bar", "--wait");
    const row = () => history(url);
    await until(row, (rows) => rows.length === 1, "printed");
    expect((await run("retry", jobId, "--unmarked")).said).toContain("is printed again, as ");
    await until(row, (rows) => rows.length === 2, "again");
    expect((await run("retry", jobId)).code).toBe(0);
    const rows = await until(row, (list) => list.length === 3, "and marked");
    expect(rows.filter(({ reprintOf }) => reprintOf === jobId)).toHaveLength(2);
    const [first, second, third] = shop.tickets;
    expect(second).toBe(first);
    expect(third).not.toBe(first);
  });
});
