import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { TwinspoolError } from "../protocol/errors.ts";
import type { Listener } from "../runtime/listener.ts";
import { type PartOptions, type Role, reachableUrl, runRole } from "./service.ts";
import { memoryIo } from "./test-support.ts";

const nowhere = join(tmpdir(), "twinspool-no-such-folder");
const env = { XDG_CONFIG_HOME: nowhere, APPDATA: nowhere, HOME: nowhere, TWINSPOOL_LOG_LEVEL: "silent" };

/** A role of one part that does what the test says as soon as it runs. */
function roleOf(started: (options: PartOptions, listener: Listener) => void): { role: Role; closed: string[] } {
  const closed: string[] = [];
  const role: Role = {
    name: "server",
    portKey: "listen.port",
    listen: () => ({ address: "127.0.0.1", port: 0 }),
    open: async (options) => ({
      parts: [
        {
          mount: ({ app }) => void app.get("/hello", (context) => context.text("hello")),
          close: async () => void closed.push("part"),
        },
      ],
      start: async (listener) => {
        started(options, listener);
        return () => void closed.push("endpoint");
      },
      about: ", for a test",
      facts: { printers: [] },
    }),
  };
  return { role, closed };
}

describe("a role", () => {
  it("says where it listens, ends at a signal, and takes back what it published first", async () => {
    const io = memoryIo(env);
    const { role, closed } = roleOf(() => setImmediate(() => process.emit("SIGTERM", "SIGTERM")));
    expect(await runRole(role, {}, io)).toBe(0);
    expect(io.stdout.text).toMatch(/^server ready on http:\/\/127\.0\.0\.1:\d+, for a test\n$/);
    expect(closed).toEqual(["endpoint", "part"]);
  });

  it("says it in JSON", async () => {
    const io = memoryIo(env);
    const { role } = roleOf(() => setImmediate(() => process.emit("SIGINT", "SIGINT")));
    await runRole(role, { json: true }, io);
    const ready = JSON.parse(io.stdout.text) as object;
    expect(ready).toEqual({ event: "ready", role: "server", url: expect.any(String), printers: [] });
  });

  it("dies of a disk that cannot keep a write, after closing what is open", async () => {
    const { role, closed } = roleOf(({ onFatal }) => onFatal(new TwinspoolError("disk-failed", "/spool")));
    await expect(runRole(role, {}, memoryIo(env))).rejects.toThrow(/^the disk could not keep a write: \/spool\./);
    expect(closed).toEqual(["endpoint", "part"]);
  });

  it("closes what it opened when it cannot listen", async () => {
    const { role, closed } = roleOf(() => {});
    const busy: Role = { ...role, listen: () => ({ address: "0.0.0.0", port: 0 }) };
    await expect(runRole(busy, {}, memoryIo(env))).rejects.toMatchObject({ code: "address-needs-key" });
    expect(closed).toEqual(["part"]);
  });

  it("answers while it runs", async () => {
    let answer = "";
    const { role } = roleOf((_, listener) => {
      request(`${listener.url}/hello`, (response) => {
        response.setEncoding("utf8").on("data", (text: string) => {
          answer += text;
        });
        response.on("end", () => process.emit("SIGTERM", "SIGTERM"));
      }).end();
    });
    await runRole(role, {}, memoryIo(env));
    expect(answer).toBe("hello");
  });
});

describe("the address that others are told", () => {
  const log = { info: () => {} } as unknown as PartOptions["log"];
  const listener = { url: "http://127.0.0.1:6310", port: 6310 } as Listener;

  it("is the listener's own when it is bound to one", () => {
    expect(reachableUrl(listener, "127.0.0.1", log)).toBe(listener.url);
  });

  it("is one of this machine's when it listens on all of them", () => {
    const url = new URL(reachableUrl(listener, "0.0.0.0", log));
    expect(url.port).toBe("6310");
    expect(url.hostname).not.toBe("0.0.0.0");
  });
});
