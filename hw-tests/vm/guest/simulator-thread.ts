/** The simulator in a thread of its own: a system call that waits for the printer must not keep the printer from answering. */
import { equal, ok } from "node:assert/strict";
import { parentPort } from "node:worker_threads";
import { type FaultText, type Page, renderEscpos, type Simulator, startSimulator } from "../../../firmware-sim/mod.ts";
import type { PrinterCall, PrinterReply } from "./bench-printer.ts";

const NO_DOTS = new Uint8Array(0);
let printer: Simulator | undefined;

function started(): Simulator {
  if (printer === undefined) throw new Error("the printer has not been started");
  return printer;
}

function cable(): NonNullable<Simulator["usb"]> {
  const { usb } = started();
  if (usb === undefined) throw new Error("the simulator has no USB");
  return usb;
}

/** Throws unless both have the same dots; says where they begin to differ. */
function compareDots(page: Page, expected: Page): void {
  equal(page.widthDots, expected.widthDots, "the paper is as wide as it should be");
  const other = page.rows.findIndex((row, index) => Buffer.compare(row, expected.rows[index] ?? NO_DOTS) !== 0);
  equal(other, -1, `the paper differs from row ${other} on`);
  equal(page.heightDots, expected.heightDots, "the paper is as long as it should be");
  const isBlack = (row: Uint8Array): boolean => row.some((byte) => byte !== 0);
  ok(page.rows.some(isBlack), "the paper is not blank");
}

async function carryOut(call: PrinterCall): Promise<PrinterReply> {
  switch (call.kind) {
    case "start":
      printer = await startSimulator({ profile: call.profile, usbipPort: 0 });
      return printer.usbipPort ?? 0;
    case "fail":
      started().fail(call.fault as FaultText);
      return undefined;
    case "receivedBytes":
      return started().state.receivedBytes;
    case "unplug":
      cable().unplug();
      return undefined;
    case "plug":
      cable().plug();
      return undefined;
    case "stall":
      cable().stall(call.direction);
      return undefined;
    case "nextText":
      return (await started().printed()).text;
    case "compareNext": {
      const page = await started().printed();
      const [expected, ...others] = renderEscpos(call.job, { profile: started().profile });
      ok(expected !== undefined && others.length === 0, "a job of these tests is one piece of paper");
      compareDots(page, expected);
      return `${page.heightDots} rows equal`;
    }
    case "close":
      await started().close();
      return undefined;
  }
}

parentPort?.on("message", ({ id, call }: { readonly id: number; readonly call: PrinterCall }) => {
  carryOut(call).then(
    (reply) => parentPort?.postMessage({ id, reply }),
    (error: unknown) => parentPort?.postMessage({ id, error: error instanceof Error ? error.message : String(error) }),
  );
});
