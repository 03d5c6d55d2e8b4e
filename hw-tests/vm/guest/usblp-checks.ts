import { equal, match, ok } from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import type { BenchPrinter } from "./bench-printer.ts";
import { type Checks, fileText, until } from "./checks.ts";
import { dots, longText, MEBIBYTE, processId, processIdAnswer, receipt, STATUS_REQUEST, ticketLine } from "./jobs.ts";
import { errorCode, LinePrinter } from "./line-printer.ts";
import { printerInterface } from "./virtual-port.ts";

/** So long must a device take nothing before it counts as one that waits. */
const QUIET_MS = 300;

/** The printer as every program sees it that only knows /dev/usb/lp0. */
export async function checkUsblp(checks: Checks, bench: BenchPrinter): Promise<void> {
  await checks.check("usblp: sysfs has the IEEE 1284 identity", async () => {
    const file = await until("usblp has the printer", () => {
      const folder = printerInterface();
      return folder === undefined ? undefined : `${folder}/ieee1284_id`;
    });
    const id = await until("ieee1284_id is there", () => fileText(file));
    match(id, /^MFG:EPSON;.*MDL:TM-T88VI;/);
    return id.trim();
  });
  const lp = await LinePrinter.open(bench.device);
  await checks.check("usblp: a receipt is on paper dot for dot", async () => {
    const job = receipt("usblp");
    const printed = bench.compareNext(job);
    await lp.write(job);
    return await printed;
  });
  await checks.check("usblp: status and process ID come back", async () => {
    await lp.write(STATUS_REQUEST);
    equal((await lp.read(1)).toString("hex"), "12");
    await lp.write(processId("LP01"));
    equal((await lp.read(7)).toString("hex"), processIdAnswer("LP01"));
    return undefined;
  });
  await checks.check("usblp: a second program is told that the device is busy", async () => {
    await LinePrinter.open(bench.device).then(
      (second) => {
        second.close();
        throw new Error("two programs have the same printer open");
      },
      (error: unknown) => equal(errorCode(error), "EBUSY"),
    );
    return undefined;
  });
  await checks.check("usblp: 1 MiB is on paper dot for dot", async () => {
    const job = dots(MEBIBYTE);
    const printed = bench.compareNext(job);
    const startedMs = performance.now();
    await lp.write(job);
    const seconds = (performance.now() - startedMs) / 1000;
    return `${await printed}, ${job.length} bytes written in ${seconds.toFixed(2)} s`;
  });
  await checks.check("usblp: a printer that cannot print takes no more, and then all of it", async () => {
    const job = dots(MEBIBYTE / 8);
    const printed = bench.compareNext(job);
    await bench.fail("cover-open");
    const taken = await offerUntilQuiet(lp, job);
    ok(taken > 0 && taken < job.length, `${taken} bytes were taken`);
    await bench.fail("cover-closed");
    await lp.write(job.subarray(taken));
    return `held after ${taken} bytes, ${await printed}`;
  });
  lp.close();
  await checkUnplugging(checks, bench);
}

async function checkUnplugging(checks: Checks, bench: BenchPrinter): Promise<void> {
  const job = longText(5000);
  await checks.check("usblp: the cable is pulled while a program is stuck in a write", async () => {
    await bench.fail("cover-open");
    const before = await bench.receivedBytes();
    // Another process: a write that blocks for ever must not hold this one.
    const writer = spawn("sh", ["-c", `exec cat >${bench.device}`], { stdio: ["pipe", "ignore", "pipe"] });
    writer.stdin.on("error", () => {});
    writer.stdin.end(job);
    const received = await untilQuiet(async () => (await bench.receivedBytes()) - before);
    equal(writer.exitCode, null);
    const ended = once(writer, "exit");
    let said = "";
    writer.stderr.on("data", (bytes: Buffer) => {
      said += bytes.toString();
    });
    await bench.unplug();
    const [code] = (await ended) as [number | null];
    equal(code, 1);
    return `${received} bytes had arrived, cat said: ${said.trim()}`;
  });
  await checks.check("usblp: plugged in again it prints on, and nothing twice", async () => {
    await bench.replug();
    const lp = await LinePrinter.open(bench.device);
    try {
      const torn = bench.nextText();
      await bench.fail("cover-closed");
      // Ends the line that was torn, and its ticket.
      await lp.write(Buffer.from("\n\x1dVB\0", "latin1"));
      const text = (await torn).trimEnd().split("\n");
      const whole = text.map((_, line) => ticketLine(line));
      equal(text.slice(0, -1).join("\n"), whole.slice(0, -1).join("\n"));
      ok(whole.at(-1)?.startsWith(text.at(-1) ?? "?"), `the torn line is ${text.at(-1)}`);
      const next = receipt("after the replug");
      const printed = bench.compareNext(next);
      await lp.write(next);
      return `${text.length} lines of the torn ticket; the next: ${await printed}`;
    } finally {
      lp.close();
    }
  });
  await checks.check("usblp: an open device tells its program that the printer is gone", async () => {
    const lp = await LinePrinter.open(bench.device);
    try {
      await bench.unplug();
      // The device's name goes before its driver knows: a write in between fails with EIO.
      const codes = new Set<string>();
      await until("a write fails with ENODEV", () => {
        codes.add(offerError(lp) ?? "no error");
        return codes.has("ENODEV") ? true : undefined;
      });
      ok(
        [...codes].every((code) => code === "ENODEV" || code === "EIO"),
        `writes ended with ${[...codes].join(", ")}`,
      );
      return [...codes].join(", then ");
    } finally {
      lp.close();
      await bench.replug();
    }
  });
}

function offerError(lp: LinePrinter): string | undefined {
  try {
    lp.offer(STATUS_REQUEST);
    return undefined;
  } catch (error) {
    return errorCode(error);
  }
}

/** Bytes that the device took before it took none for a while. */
async function offerUntilQuiet(lp: LinePrinter, job: Uint8Array): Promise<number> {
  let taken = 0;
  let movedMs = performance.now();
  while (performance.now() - movedMs < QUIET_MS) {
    const now = lp.offer(job.subarray(taken));
    if (now > 0) movedMs = performance.now();
    taken += now;
    await pause(1);
  }
  return taken;
}

/** The value, once it is more than 0 and has been the same for a while. */
async function untilQuiet(value: () => Promise<number>): Promise<number> {
  let last = await value();
  let movedMs = performance.now();
  await until("the value stands still", async () => {
    const now = await value();
    if (now !== last || now === 0) movedMs = performance.now();
    last = now;
    return performance.now() - movedMs > QUIET_MS ? true : undefined;
  });
  return last;
}
