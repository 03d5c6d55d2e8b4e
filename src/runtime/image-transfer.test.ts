import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { Readable } from "node:stream";
import { afterEach, describe, expect, test } from "vitest";
import { TwinspoolError } from "../protocol/errors.ts";
import { getImage, putImage, receiveImage, requestJson } from "./image-transfer.ts";
import { type Listener, type Routes, startListener } from "./listener.ts";

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function start(setup: (routes: Routes) => void, key?: string): Promise<Listener> {
  const listener = await startListener({ address: "127.0.0.1", port: 0, key }, setup);
  cleanups.push(() => listener.close());
  return listener;
}

/** A peer below HTTP: it does with the connection what it is told. */
async function startBare(handler: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    handler(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, "close");
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

async function failureOf(promise: Promise<unknown>): Promise<TwinspoolError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(TwinspoolError);
  return error as TwinspoolError;
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

async function* pieces(...chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

/** Bytes without end, one chunk after the other, counting what was asked of it. */
function endless(counter: { bytes: number; ended?: boolean }, chunkBytes = 65_536): AsyncIterable<Uint8Array> {
  return (async function* () {
    try {
      for (;;) {
        counter.bytes += chunkBytes;
        yield new Uint8Array(chunkBytes);
      }
    } finally {
      counter.ended = true;
    }
  })();
}

const never = (): AsyncIterable<Uint8Array> => ({
  [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }),
});

const gone = "http://127.0.0.1:1/";

describe("putImage", () => {
  test("the image arrives whole, with headers, and the answer comes back", async () => {
    const image = randomBytes(2_500_000);
    let received: Buffer | undefined;
    const { url } = await start(({ rawRoute }) => {
      rawRoute("PUT", "/images/", async (request, response) => {
        received = await collect(receiveImage(request));
        response.writeHead(201).end(JSON.stringify({ job: request.headers["x-job"] }));
      });
    });
    const chunks = Readable.from([image.subarray(0, 1_000_000), image.subarray(1_000_000)]);
    const answer = await putImage(`${url}/images/a`, { "x-job": "a-b-1" }, chunks, image.length);
    expect(answer).toEqual({ status: 201, body: { job: "a-b-1" } });
    expect(received?.equals(image)).toBe(true);
  });

  test("a refusal before the end stops the sending and is the answer", async () => {
    const counter = { bytes: 0, ended: false };
    const { url } = await start(({ rawRoute }) => {
      rawRoute("PUT", "/", () => Promise.reject(new TwinspoolError("spool-full")));
    });
    const answer = await putImage(url, {}, endless(counter), 2 ** 40);
    expect(answer).toMatchObject({ status: 507, body: { code: "spool-full" } });
    expect(counter.bytes).toBeLessThan(64 * 2 ** 20);
    expect(counter.ended).toBe(true);
  });

  test("so is a refusal while the source has nothing to give", async () => {
    const { url } = await start(({ rawRoute }) => {
      rawRoute("PUT", "/", () => Promise.reject(new TwinspoolError("job-conflict")));
    });
    expect(await putImage(url, {}, never(), 100)).toMatchObject({ status: 409, body: { code: "job-conflict" } });
  });

  test("a peer that does not read holds the source back, and is given up when nothing moves", async () => {
    const counter = { bytes: 0 };
    const url = await startBare((socket) => socket.pause());
    const error = await failureOf(putImage(url, {}, endless(counter), 2 ** 40, undefined, 200));
    expect(error.code).toBe("server-unreachable");
    expect(error.detail).toContain("silent for 0.2 s");
    expect(counter.bytes).toBeLessThan(64 * 2 ** 20);
  });

  test("a peer that takes all and says nothing is given up", async () => {
    const url = await startBare((socket) => socket.resume());
    const error = await failureOf(putImage(url, {}, pieces(new Uint8Array(10)), 10, undefined, 100));
    expect(error.code).toBe("server-unreachable");
  });

  test("a connection that breaks, or never was, is a server that cannot be reached", async () => {
    const url = await startBare((socket) => socket.once("data", () => socket.destroy()));
    expect((await failureOf(putImage(url, {}, endless({ bytes: 0 }), 2 ** 40))).code).toBe("server-unreachable");
    const error = await failureOf(putImage(gone, {}, endless({ bytes: 0 }), 2 ** 40));
    expect([error.code, error.detail]).toEqual(["server-unreachable", `${gone} (ECONNREFUSED)`]);
  });

  test.each([
    ["more", [6, 6]],
    ["less", [3, 3]],
  ])("a source that gives %s than announced is not sent as if whole", async (_name, sizes) => {
    const outcomes: string[] = [];
    let arrive = () => {};
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    let told = () => {};
    const seen = new Promise<void>((resolve) => {
      told = resolve;
    });
    const { url } = await start(({ rawRoute }) => {
      rawRoute("PUT", "/", async (request, response) => {
        arrive();
        await collect(receiveImage(request)).then(
          () => outcomes.push("whole"),
          (error: TwinspoolError) => outcomes.push(error.code),
        );
        told();
        response.end();
      });
    });
    const chunks = (async function* () {
      for (const size of sizes) {
        yield new Uint8Array(size);
        await arrived;
      }
    })();
    expect((await failureOf(putImage(url, {}, chunks, 10))).code).toBe("image-wrong-size");
    await seen;
    expect(outcomes).toEqual(["image-wrong-size"]);
  });

  test("an error of the source is the error", async () => {
    const { url } = await start(({ rawRoute }) => {
      rawRoute("PUT", "/", async (request) => void (await collect(receiveImage(request)).catch(() => {})));
    });
    const failure = new Error("disk");
    const broken = (async function* () {
      yield new Uint8Array(5);
      throw failure;
    })();
    await expect(putImage(url, {}, broken, 10)).rejects.toBe(failure);
  });

  test("an abort ends it with its reason, before and during", async () => {
    const reason = new TwinspoolError("epoch-stale");
    await expect(putImage(gone, {}, never(), 10, AbortSignal.abort(reason))).rejects.toBe(reason);
    const abort = new AbortController();
    const url = await startBare((socket) => socket.once("data", () => abort.abort(reason)));
    await expect(putImage(url, {}, never(), 10, abort.signal)).rejects.toBe(reason);
  });
});

describe("receiveImage", () => {
  async function receiving(limitBytes: number, timeoutMs: number): Promise<string> {
    const { url } = await start(({ rawRoute }) => {
      rawRoute("PUT", "/", async (request, response) => {
        const image = await collect(receiveImage(request, limitBytes, timeoutMs));
        response.end(String(image.length));
      });
    });
    return url;
  }

  test("too large is refused before a byte is read", async () => {
    const url = await receiving(1000, 5_000);
    const answer = await putImage(url, {}, never(), 1001);
    expect(answer).toMatchObject({ status: 413, body: { code: "image-too-large" } });
  });

  test("without a length it is refused", async () => {
    const url = await receiving(1000, 5_000);
    const stream = new ReadableStream({
      start(controller) {
        controller.enqueue(new Uint8Array(5));
        controller.close();
      },
    });
    const response = await fetch(url, { method: "PUT", body: stream, duplex: "half" });
    expect(await response.json()).toMatchObject({ code: "request-invalid" });
  });

  test("a route may leave off halfway and still answer", async () => {
    const { url } = await start(({ rawRoute }) => {
      rawRoute("PUT", "/", async (request) => {
        for await (const _chunk of receiveImage(request, 2 ** 30)) throw new TwinspoolError("disk-full");
      });
    });
    const answer = await putImage(url, {}, endless({ bytes: 0 }), 2 ** 29);
    expect(answer).toMatchObject({ status: 507, body: { code: "disk-full" } });
  });

  test("a sender that falls silent is given up", async () => {
    let told: (error: unknown) => void = () => {};
    const seen = new Promise<unknown>((resolve) => {
      told = resolve;
    });
    const { url } = await start(({ rawRoute }) => {
      rawRoute("PUT", "/", async (request) => {
        await collect(receiveImage(request, 1000, 100)).catch(told);
      });
    });
    const sender = (async function* () {
      yield new Uint8Array(5);
      yield* never();
    })();
    const sent = failureOf(putImage(url, {}, sender, 10));
    expect(await seen).toMatchObject({ code: "image-wrong-size", detail: "silence after 5 of 10 bytes" });
    expect((await sent).code).toBe("server-unreachable");
  });
});

describe("getImage", () => {
  test("the image comes whole", async () => {
    const image = randomBytes(2_500_000);
    const { url } = await start(({ rawRoute }) =>
      rawRoute("GET", "/i", (_request, response) => void response.end(image)),
    );
    expect((await collect(getImage(`${url}/i`, {}))).equals(image)).toBe(true);
  });

  test("the peer's error is thrown", async () => {
    const { url } = await start(({ rawRoute }) => {
      rawRoute("GET", "/i", () => Promise.reject(new TwinspoolError("image-missing", "a-b-1")));
    });
    const error = await failureOf(collect(getImage(`${url}/i`, {})));
    expect([error.code, error.detail]).toEqual(["image-missing", "a-b-1"]);
  });

  test.each<[string, string, string]>([
    ["ends early", "content-length: 10\r\n\r\nhalf", "image-wrong-size"],
    ["is over the limit", "content-length: 99999999999\r\n\r\nhalf", "image-too-large"],
  ])("an image that %s is no image", async (_name, head, code) => {
    const url = await startBare((socket) => socket.once("data", () => socket.end(`HTTP/1.1 200 OK\r\n${head}`)));
    expect((await failureOf(collect(getImage(url, {})))).code).toBe(code);
  });

  test("a peer that falls silent is given up, before or within the image", async () => {
    const mute = await startBare((socket) => socket.resume());
    expect((await failureOf(collect(getImage(mute, {}, undefined, 100)))).code).toBe("server-unreachable");
    const half = await startBare((socket) => {
      socket.once("data", () => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf"));
    });
    const error = await failureOf(collect(getImage(half, {}, undefined, 100)));
    expect([error.code, error.detail]).toEqual(["image-wrong-size", "silence after 4 of 10 bytes"]);
  });

  test("leaving off ends the connection", async () => {
    let closed: () => void = () => {};
    const ended = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const { url } = await start(({ rawRoute }) => {
      rawRoute("GET", "/i", (_request, response) => {
        response.once("close", closed);
        response.writeHead(200, { "content-length": 1000 }).write("half");
      });
    });
    for await (const _chunk of getImage(`${url}/i`, {})) break;
    await ended;
  });
});

describe("requestJson", () => {
  test("JSON goes and comes, with the key", async () => {
    const key = "correct-horse-battery";
    const { url } = await start(({ app }) => {
      app.post("/jobs", async (context) => context.json({ got: await context.req.json() }));
      app.delete("/jobs", (context) => context.body(null, 204));
    }, key);
    expect(await requestJson("POST", `${url}/jobs`, { key, body: { a: "あ" } })).toEqual({ got: { a: "あ" } });
    expect(await requestJson("DELETE", `${url}/jobs`, { key })).toBeUndefined();
    expect((await failureOf(requestJson("POST", `${url}/jobs`, { body: {} }))).code).toBe("key-wrong");
  });

  test("the peer's error comes back as itself", async () => {
    const { url } = await start(({ app }) => {
      app.get("/job", () => {
        throw new TwinspoolError("job-unknown", "a-b-1");
      });
    });
    const error = await failureOf(requestJson("GET", `${url}/job`));
    expect([error.code, error.message]).toEqual(["job-unknown", new TwinspoolError("job-unknown", "a-b-1").message]);
  });

  test("what is no twinspool, silent or gone is told with the URL", async () => {
    const page = await startBare((socket) => {
      socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>"));
    });
    expect(await failureOf(requestJson("GET", page))).toMatchObject({ code: "message-invalid" });
    const broken = await startBare((socket) => {
      socket.once("data", () => socket.end("HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n"));
    });
    expect((await failureOf(requestJson("GET", broken))).detail).toBe(`${broken} answered with HTTP status 502`);
    const mute = await startBare((socket) => socket.resume());
    expect((await failureOf(requestJson("GET", mute, { timeoutMs: 100 }))).detail).toBe(
      `${mute} has been silent for 0.1 s`,
    );
    expect((await failureOf(requestJson("GET", gone))).detail).toBe(`${gone} (ECONNREFUSED)`);
  });
});
