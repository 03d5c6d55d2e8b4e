import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freePort, history, jobs, Shop, until } from "./processes.ts";

const sample = (name: string): string => fileURLToPath(new URL(`../../docs/samples/${name}`, import.meta.url));

/** Box, client and simulated printer as three processes, documents as a user prints them. */
describe("a document", () => {
  let shop: Shop;
  let boxUrl: string;

  beforeEach(async () => {
    shop = new Shop();
    await shop.startPrinter();
    boxUrl = await shop.start("box", "--json", "--port", "0", ...shop.printerFlags).ready();
    await shop.startAs("till", "client", "--json", "--server", boxUrl).ready();
  });
  afterEach(() => shop.close());

  async function print(...args: string[]): Promise<number | null> {
    return shop.startAs("till", "print", "--server", boxUrl, "--wait", ...args).exited;
  }

  it.each(["receipt.png", "photo.jpg", "menu-ja.txt"])(
    "%s comes out dot for dot alike from either spool, and nothing is left behind",
    async (name) => {
      expect(await print(sample(name), "--from", "client")).toBe(0);
      expect(await print(sample(name), "--from", "server")).toBe(0);
      await until(
        async () => shop.tickets,
        (tickets) => tickets.length === 2,
        "two tickets",
      );
      const rows = await history(boxUrl);
      expect(rows[0]?.outcome.sha256).toBe(rows[1]?.outcome.sha256);
      const [fromClient, fromServer] = shop.tickets;
      expect(fromServer).toBe(fromClient);
      expect(rows.map((row) => [row.source, row.outcome.sentBy, row.outcome.evidence])).toEqual([
        ["server", "server", "process-id"],
        ["client", "client", "process-id"],
      ]);
      expect(await jobs(boxUrl)).toEqual([]);
      expect(shop.imagesOf("server")).toEqual([]);
      await until(
        async () => shop.imagesOf("client", `${shop.folder}/till`),
        (left) => left.length === 0,
        "client spool",
      );
    },
  );

  it.each([
    ["client", "client"],
    ["server", "server"],
  ])("printed with only the %s's spool", async (spool, from) => {
    expect(await print(sample("menu-ja.txt"), "--spool", spool, "--from", from)).toBe(0);
    const [row] = await history(boxUrl);
    expect(row).toMatchObject({ spools: spool, source: from, outcome: { outcome: "printed", sentBy: from } });
    expect(shop.imagesOf("server")).toEqual([]);
  });

  it("twenty at once come out in their order, and the command complains of nothing", async () => {
    const names = Array.from({ length: 20 }, () => sample("menu-ja.txt"));
    const command = shop.startAs("till", "print", "--server", boxUrl, "--wait", ...names);
    expect(await command.exited).toBe(0);
    expect(await history(boxUrl)).toHaveLength(20);
    expect(command.log).toEqual([]);
  });

  it("keeps the image of an ended job for a set time when asked", async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const config = shop.write("keep.toml", "[retention]\nkeepEndedMinutes = 5\n");
    const keeping = shop.startAs(
      "keeping",
      "box",
      "--json",
      "--port",
      String(port),
      "--config",
      config,
      ...shop.printerFlags,
    );
    await keeping.ready();
    const done = shop.startAs("other", "print", "--json", "--wait", "--server", url, sample("menu-ja.txt"));
    expect(await done.exited).toBe(0);
    const [row] = await history(url);
    expect(shop.imagesOf("server", `${shop.folder}/keeping`)).toEqual([row?.jobId]);
    const png = await fetch(`${url}/api/jobs/${row?.jobId}/preview.png`);
    expect([png.status, png.headers.get("content-type")]).toEqual([200, "image/png"]);
  });

  it("previews, is canceled while the printer has no paper, and never prints", async () => {
    const sim = shop.start("sim", "--json", "--tcp", "0", "--fault", "paper-end");
    const port = Number((await sim.event("ready")).port);
    const host = shop.startAs(
      "bar",
      "host",
      "--json",
      "--port",
      "0",
      "--server",
      boxUrl,
      "--printer",
      `bar=socket://127.0.0.1:${port}`,
    );
    await host.ready();
    await until(
      () => fetch(`${boxUrl}/api/printers`).then((answer) => answer.json() as Promise<{ printers: unknown[] }>),
      ({ printers }) => printers.length === 2,
      "both printers",
    );
    const document = sample("menu-ja.txt");
    const printing = shop.startAs("till", "print", "--json", "--server", boxUrl, "--printer", "bar", document);
    const accepted = await printing.event("accepted");
    const jobId = String(accepted["jobId"]);
    const png = `${shop.folder}/preview.png`;
    const preview = shop.startAs("till", "preview", "--server", boxUrl, jobId, "-o", png);
    expect(await preview.exited).toBe(0);
    const cancel = shop.startAs("till", "cancel", "--json", "--server", boxUrl, jobId);
    expect(await cancel.exited).toBe(0);
    const [row] = await until(
      () => history(boxUrl),
      (rows) => rows.length > 0,
      "the cancel in the history",
    );
    expect(row?.outcome.outcome).toBe("canceled");
    sim.child.stdin?.write("paper-loaded\n");
    expect(shop.tickets).toEqual([]);
    expect(await jobs(boxUrl)).toEqual([]);
  });
});
