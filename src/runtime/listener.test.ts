import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { TwinspoolError } from "../protocol/errors.ts";
import { limits } from "../protocol/limits.ts";
import { type Listener, type ListenerOptions, type Routes, startListener } from "./listener.ts";
import { createLog } from "./log.ts";

const key = "correct-horse-battery";
const running: Listener[] = [];

async function start(setup?: (routes: Routes) => void, options: Partial<ListenerOptions> = {}): Promise<Listener> {
  const listener = await startListener({ address: "127.0.0.1", port: 0, ...options }, setup);
  running.push(listener);
  return listener;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((listener) => listener.close()));
});

async function failureOf(promise: Promise<unknown>): Promise<TwinspoolError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(TwinspoolError);
  return error as TwinspoolError;
}

/** A request with headers that fetch would not let through. */
async function ask(url: string, headers: Record<string, string>, method = "GET") {
  const request = httpRequest(url, { method, headers, agent: false });
  request.end();
  const [response] = (await once(request, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode, headers: response.headers, text };
}

describe("binding", () => {
  test("a port in use is named with its address", async () => {
    const { port } = await start();
    const error = await failureOf(startListener({ address: "127.0.0.1", port }));
    expect([error.code, error.detail]).toEqual(["port-in-use", `127.0.0.1 port ${port}`]);
  });

  test("beyond this machine only with a key", async () => {
    expect((await failureOf(startListener({ address: "0.0.0.0", port: 0 }))).code).toBe("address-needs-key");
    const { url, port } = await start(undefined, { address: "0.0.0.0", key });
    expect(url).toBe(`http://127.0.0.1:${port}`);
  });

  test("an address of another machine is a configuration error", async () => {
    // 192.0.2.0/24 is kept for documentation (RFC 5737), so no machine has it.
    const error = await failureOf(startListener({ address: "192.0.2.1", port: 0, key }));
    expect(error.code).toBe("config-invalid");
    expect(error.detail).toContain("192.0.2.1");
  });
});

describe("routes", () => {
  test("the application answers, and its errors come from the table", async () => {
    const lines: string[] = [];
    const log = createLog("info", "server", { stream: { write: (line) => void lines.push(line) } });
    const { url } = await start(
      ({ app }) => {
        app.get("/printers", (context) => context.json(["kitchen"]));
        app.get("/job", () => {
          throw new TwinspoolError("job-unknown", "x-y-1");
        });
        app.get("/bug", () => {
          throw new Error("secret inside");
        });
      },
      { log },
    );
    expect(await (await fetch(`${url}/printers`)).json()).toEqual(["kitchen"]);
    const unknown = await fetch(`${url}/job`);
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toEqual({
      code: "job-unknown",
      message: new TwinspoolError("job-unknown", "x-y-1").message,
      detail: "x-y-1",
    });
    const bug = await fetch(`${url}/bug`);
    expect([bug.status, (await bug.text()).includes("secret")]).toEqual([500, false]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("secret inside");
    const nowhere = await fetch(`${url}/nowhere`);
    expect([nowhere.status, await nowhere.json()]).toMatchObject([404, { code: "request-invalid" }]);
  });

  test("raw routes go before the application, the longest prefix first, only for their method", async () => {
    const { url } = await start(({ app, rawRoute }) => {
      app.get("/images/a", (context) => context.text("app"));
      rawRoute("PUT", "/images/", (_request, response) => void response.end("short"));
      rawRoute("PUT", "/images/special/", (_request, response) => void response.end("long"));
    });
    const put = async (path: string) => (await fetch(`${url}${path}`, { method: "PUT", body: "x" })).text();
    expect(await put("/images/a?query=/images/special/")).toBe("short");
    expect(await put("/images/special/a")).toBe("long");
    expect(await (await fetch(`${url}/images/a`)).text()).toBe("app");
  });

  test("a raw route gets the body as it comes, and its errors come from the table", async () => {
    const { url } = await start(({ rawRoute }) => {
      rawRoute("PUT", "/count", async (request, response) => {
        let bytes = 0;
        for await (const chunk of request) bytes += chunk.length;
        response.end(String(bytes));
      });
      rawRoute("PUT", "/full", () => Promise.reject(new TwinspoolError("spool-full")));
    });
    const body = new Uint8Array(3_000_000);
    expect(await (await fetch(`${url}/count`, { method: "PUT", body })).text()).toBe("3000000");
    const full = await fetch(`${url}/full`, { method: "PUT", body });
    expect([full.status, await full.json()]).toMatchObject([507, { code: "spool-full" }]);
  });

  test("an answer that has begun is cut off when its route fails", async () => {
    const { url } = await start(({ rawRoute }) => {
      rawRoute("GET", "/half", (_request, response) => {
        response.writeHead(200, { "content-length": 10 });
        response.write("half");
        throw new TwinspoolError("disk-failed");
      });
    });
    await expect(fetch(`${url}/half`).then((response) => response.text())).rejects.toThrow();
  });
});

describe("access", () => {
  test("a key is asked of application, raw route and control link alike", async () => {
    const { url } = await start(
      ({ app, rawRoute, onControl }) => {
        app.get("/app", (context) => context.text("in"));
        rawRoute("GET", "/raw", (_request, response) => void response.end("in"));
        onControl("/control", (socket) => socket.send("in"));
      },
      { key },
    );
    const headers = { authorization: `Bearer ${key}` };
    for (const path of ["/app", "/raw"]) {
      expect(await ask(`${url}${path}`, {})).toMatchObject({
        status: 401,
        headers: { "www-authenticate": 'Basic realm="twinspool", charset="UTF-8"' },
        text: expect.stringContaining('"code":"key-wrong"'),
      });
      expect((await ask(`${url}${path}`, headers)).text).toBe("in");
    }
    const refused = new WebSocket(`${url}/control`);
    const [, response] = (await once(refused, "unexpected-response")) as [unknown, IncomingMessage];
    expect(response.statusCode).toBe(401);
    refused.on("error", () => {});
    refused.terminate();
    const welcome = new WebSocket(`${url}/control`, { headers });
    expect(String((await once(welcome, "message"))[0])).toBe("in");
    welcome.terminate();
  });

  test("web pages of other sites are kept out, also from control links", async () => {
    const { url } = await start(({ app, onControl }) => {
      app.post("/jobs", (context) => context.text("in"));
      onControl("/control", (socket) => socket.send("in"));
    });
    expect((await ask(`${url}/jobs`, { origin: "http://evil.example" }, "POST")).status).toBe(403);
    expect((await ask(`${url}/jobs`, { host: "evil.example" }, "POST")).status).toBe(403);
    expect((await ask(`${url}/jobs`, { origin: url }, "POST")).text).toBe("in");
    const refused = new WebSocket(`${url}/control`, { origin: "http://evil.example" });
    const [, response] = (await once(refused, "unexpected-response")) as [unknown, IncomingMessage];
    expect(response.statusCode).toBe(403);
    refused.on("error", () => {});
    refused.terminate();
  });

  test("no control link but where one was put", async () => {
    const { url } = await start(({ onControl }) => onControl("/control", () => {}));
    const refused = new WebSocket(`${url}/elsewhere`);
    const [, response] = (await once(refused, "unexpected-response")) as [unknown, IncomingMessage];
    expect(response.statusCode).toBe(404);
    refused.on("error", () => {});
    refused.terminate();
  });
});

describe("bounds", () => {
  test("connections beyond the limit are dropped", async () => {
    const { port } = await start(undefined, { maxConnections: 2 });
    const sockets = [];
    for (let count = 0; count < 2; count++) {
      const socket = connect(port, "127.0.0.1");
      await once(socket, "connect");
      sockets.push(socket);
    }
    const dropped = connect(port, "127.0.0.1");
    dropped.on("error", () => {});
    await once(dropped, "close");
    for (const socket of sockets) socket.destroy();
  });

  test("a control message over the limit closes the link with 1009", async () => {
    const { url } = await start(({ onControl }) => onControl("/control", (socket) => socket.on("error", () => {})));
    const socket = new WebSocket(`${url}/control`);
    await once(socket, "open");
    socket.send("x".repeat(limits.controlMessageBytes + 1));
    expect((await once(socket, "close"))[0]).toBe(1009);
  });
});

test("close ends links in good order and does not wait for idle connections", async () => {
  const listener = await start(({ app, onControl }) => {
    app.get("/", (context) => context.text("in"));
    onControl("/control", () => {});
  });
  await (await fetch(listener.url)).text();
  const socket = new WebSocket(`${listener.url}/control`);
  await once(socket, "open");
  const closed = once(socket, "close");
  await listener.close();
  expect((await closed)[0]).toBe(1001);
});
