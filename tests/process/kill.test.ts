import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freePort, history, jobs, longText, Shop, until } from "./processes.ts";

/** Real processes, kill -9, and the simulated printer's paper as the witness (design §11). */
describe("when a process is killed", () => {
  let shop: Shop;
  beforeEach(() => {
    shop = new Shop();
  });
  afterEach(() => shop.close());

  const startServer = (port: number) => shop.start("server", "--json", "--port", String(port));
  const startHost = (port: number, server: string) =>
    shop.start("host", "--json", "--port", String(port), "--server", server, ...shop.printerFlags);

  async function openShop(...printerFlags: string[]) {
    await shop.startPrinter(...printerFlags);
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
    return { server, serverPort, serverUrl, host, hostPort, client };
  }

  it("the client, after accepted: the server prints", async () => {
    const { serverUrl, host, hostPort, client } = await openShop();
    await host.kill();
    const document = shop.write("order.txt", longText("order", 3));
    const print = shop.startAs("till", "print", "--json", "--server", serverUrl, document, "--from", "client");
    await print.event("accepted");
    await until(
      () => jobs(serverUrl),
      ([job]) => job?.held.server === true,
      "the server has its copy",
    );
    await client.kill();
    await startHost(hostPort, serverUrl).ready();
    const [row] = await until(
      () => history(serverUrl),
      (rows) => rows.length > 0,
      "the job in the history",
    );
    expect(row?.outcome).toMatchObject({ outcome: "printed", evidence: "process-id", sentBy: "server" });
    expect(row?.source).toBe("client");
    await until(
      async () => shop.tickets,
      (tickets) => tickets.length > 0,
      "the ticket",
    );
    expect(await shop.ticketsOnce(1)).toHaveLength(1);
    expect(shop.imagesOf("server")).toEqual([]);
  });

  it("the server, after accepted: the client prints, and the server's history has it once", async () => {
    const { server, serverPort, serverUrl, host, hostPort } = await openShop();
    await host.kill();
    const document = shop.write("order.txt", longText("order", 3));
    const print = shop.startAs("till", "print", "--json", "--server", serverUrl, document, "--from", "server");
    await print.event("accepted");
    await server.kill();
    await startHost(hostPort, serverUrl).ready();
    await until(
      async () => shop.tickets,
      (tickets) => tickets.length > 0,
      "the ticket",
    );
    await startServer(serverPort).ready();
    const rows = await until(
      () => history(serverUrl),
      ([row]) => row?.source !== undefined,
      "the job in the history",
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]?.outcome).toMatchObject({ outcome: "printed", evidence: "process-id", sentBy: "client" });
    await until(
      () => jobs(serverUrl),
      (open) => open.length === 0,
      "an empty queue",
    );
    await until(
      async () => shop.imagesOf("client", `${shop.folder}/till`),
      (left) => left.length === 0,
      "client spool",
    );
    expect(shop.imagesOf("server")).toEqual([]);
    expect(await shop.ticketsOnce(1)).toHaveLength(1);
  });

  it("the host, in the middle of a page: nothing twice, the job indeterminate and held", async () => {
    const { serverUrl, host, hostPort } = await openShop("--speed", "real");
    const document = shop.write("long.txt", longText("long", 400));
    const print = shop.startAs("till", "print", "--json", "--wait", "--server", serverUrl, document);
    await print.line((line) => line.event === "progressed" && Number(line["rowsDone"]) > 500, "some rows");
    await host.kill();
    await startHost(hostPort, serverUrl).ready();
    const [job] = await until(
      () => jobs(serverUrl),
      ([first]) => first?.state === "pending-held",
      "the job held",
    );
    expect(job?.outcome?.outcome).toBe("indeterminate");
    const rows = await history(serverUrl);
    expect(rows).toHaveLength(1);
    expect(rows[0]?.outcome.outcome).toBe("indeterminate");
    // The next ticket comes out whole and alone, the broken one does not come again.
    const next = shop.write("next.txt", "next ticket");
    const after = shop.startAs("till", "print", "--json", "--wait", "--server", serverUrl, next);
    expect(await after.exited).toBe(0);
    const outcomes = (await history(serverUrl)).map((row) => row.outcome.outcome);
    expect(outcomes.sort()).toEqual(["indeterminate", "printed"]);
    expect(new Set(shop.tickets).size).toBe(shop.tickets.length);
    expect(shop.tickets.length).toBeLessThanOrEqual(2);
    const [still] = await jobs(serverUrl);
    expect(still?.state).toBe("pending-held");
    // A person looked at the paper and wants it again: a new job that says so, and the old one is settled.
    const before = shop.tickets.length;
    const retry = shop.startAs("till", "retry", "--json", "--server", serverUrl, String(job?.jobId));
    expect(await retry.exited).toBe(0);
    const settled = await until(
      () => history(serverUrl),
      (all) => all.length === 3,
      "the duplicate in the history",
    );
    expect(settled[0]).toMatchObject({ reprintOf: job?.jobId, outcome: { outcome: "printed", sentBy: "server" } });
    expect(settled[0]?.heightDots).toBeGreaterThan(job?.heightDots ?? 0);
    expect(settled.find((row) => row.jobId === job?.jobId)?.resolution).toBe("reprinted");
    await until(
      async () => shop.tickets,
      (tickets) => tickets.length === before + 1,
      "the duplicate's ticket",
    );
    await until(
      () => jobs(serverUrl),
      (open) => open.length === 0,
      "an empty queue",
    );
    await until(
      async () => shop.imagesOf("server"),
      (left) => left.length === 0,
      "the server's spool",
    );
    await until(
      async () => shop.imagesOf("client", `${shop.folder}/till`),
      (left) => left.length === 0,
      "client spool",
    );
  });

  it.each([
    ["reprint-marked", "reprinted", 2],
    ["assume-printed", "assumed-printed", 1],
  ])("the host, with the policy %s: no person is needed", async (policy, resolution, rowsExpected) => {
    await shop.startPrinter("--speed", "real");
    const config = shop.write(
      "policy.toml",
      `[[printers]]\nname = "kitchen"\nuri = "socket://127.0.0.1:${shop.printerPort}"\nmodel = "tm-m30iii"\nindeterminate = "${policy}"\n`,
    );
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const startBox = () => shop.start("box", "--json", "--port", String(port), "--config", config);
    const box = startBox();
    await box.ready();
    await shop.startAs("till", "client", "--json", "--server", url).ready();
    const document = shop.write("long.txt", longText("long", 300));
    const print = shop.startAs("till", "print", "--json", "--wait", "--server", url, document);
    await print.line((line) => line.event === "progressed" && Number(line["rowsDone"]) > 500, "some rows");
    await box.kill();
    await startBox().ready();
    const rows = await until(
      () => history(url),
      (all) => all.length === rowsExpected,
      "all of it in the history",
    );
    const broken = rows.find((row) => row.outcome.outcome === "indeterminate");
    expect(broken?.resolution).toBe(resolution);
    if (policy === "reprint-marked") expect(rows[0]).toMatchObject({ reprintOf: broken?.jobId });
    await until(
      () => jobs(url),
      (open) => open.length === 0,
      "an empty queue",
    );
    await until(
      async () => shop.imagesOf("client", `${shop.folder}/till`),
      (left) => left.length === 0,
      "client spool",
    );
  });
});
