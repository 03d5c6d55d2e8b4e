import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freePort, history, jobs, longText, Shop, until } from "./processes.ts";

const names = ["one", "two", "three", "four", "five"];

/** What has been accepted survives: cupsd 2.4 keeps none of five jobs when it is killed in the second it took them. */
describe("five accepted jobs, and kill -9 of the server in the same second", () => {
  let shop: Shop;
  beforeEach(() => {
    shop = new Shop();
  });
  afterEach(() => shop.close());

  const startServer = (port: number) => shop.start("server", "--json", "--port", String(port));
  const startHost = (port: number, server: string) =>
    shop.start("host", "--json", "--port", String(port), "--server", server, ...shop.printerFlags);

  /** Five jobs that wait for their printer host, the server killed as soon as the fifth is accepted. */
  async function killAfterFive(spool: "both" | "server") {
    await shop.startPrinter();
    const [serverPort, hostPort] = [await freePort(), await freePort()];
    const serverUrl = `http://127.0.0.1:${serverPort}`;
    const server = startServer(serverPort);
    await server.ready();
    const host = startHost(hostPort, serverUrl);
    await host.ready();
    const client = shop.startAs("till", "client", "--json", "--server", serverUrl);
    const clientUrl = await client.ready();
    await until(
      () => fetch(`${clientUrl}/api/printers`).then((answer) => answer.json() as Promise<{ printers: unknown[] }>),
      ({ printers }) => printers.length > 0,
      "the client knows the printer",
    );
    await host.kill();
    const documents = names.map((name) => shop.write(`${name}.txt`, longText(name, 3)));
    const flags = ["--from", "server", "--spool", spool, "--server", serverUrl];
    const print = shop.startAs("till", "print", "--json", ...documents, ...flags);
    await print.line(
      () => new Set(print.lines.filter((line) => line.event === "accepted").map((line) => line["jobId"])).size === 5,
      "five accepted",
    );
    await server.kill();
    return { client, serverPort, serverUrl, hostPort };
  }

  async function expectFive(serverUrl: string, sentBy: "client" | "server") {
    const rows = await until(
      () => history(serverUrl),
      (all) => all.length === 5 && all.every((row) => row.source !== undefined),
      "five in the history",
    );
    expect(rows.map((row) => row.outcome.outcome)).toEqual(Array(5).fill("printed"));
    expect(new Set(rows.map((row) => row.outcome.sentBy))).toEqual(new Set([sentBy]));
    await until(
      () => jobs(serverUrl),
      (open) => open.length === 0,
      "an empty queue",
    );
    await until(
      async () => shop.tickets,
      (tickets) => tickets.length >= 5,
      "five tickets",
    );
    expect(new Set(shop.tickets).size).toBe(5);
    expect(await shop.ticketsOnce(5)).toHaveLength(5);
  }

  it("with the client alive, it prints all five alone, and the server's history has them when it is back", async () => {
    const { serverPort, serverUrl, hostPort } = await killAfterFive("both");
    await startHost(hostPort, serverUrl).ready();
    await until(
      async () => shop.tickets,
      (tickets) => tickets.length === 5,
      "five tickets without a server",
    );
    await startServer(serverPort).ready();
    await expectFive(serverUrl, "client");
    await until(
      async () => shop.imagesOf("client", `${shop.folder}/till`),
      (left) => left.length === 0,
      "client spool",
    );
    expect(shop.imagesOf("server")).toEqual([]);
  });

  it("with the client gone for good, the server prints all five from its own spool when it is back", async () => {
    const { client, serverPort, serverUrl, hostPort } = await killAfterFive("server");
    await client.kill();
    await startServer(serverPort).ready();
    await startHost(hostPort, serverUrl).ready();
    await expectFive(serverUrl, "server");
    expect(shop.imagesOf("server")).toEqual([]);
  });
});
