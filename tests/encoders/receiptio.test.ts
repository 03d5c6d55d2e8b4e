import receiptio from "receiptio";
import { SerialPort } from "serialport";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Simulator, startSimulator } from "../../firmware-sim/mod.ts";
import { ownLoopbackAddress, RAW_PORT } from "./loopback.ts";
import { decodeSymbols, describeDiagnostics } from "./paper.ts";

/*
 * receiptio asks the printer who it is, waits for its automatic status, prints, and waits for the answer to a trailing
 * GS r: https://github.com/receiptline/receiptio
 */

const DOCUMENT = `^^^Café

Espresso | 4,40 €
---
{code:https://example.com/r/1;option:qrcode,4,m}
`;

/** receiptio's first words also ask a Star printer, ESC ACK SOH, which means nothing here. */
const HELLO = ["unknown 1b06", "unknown 01"];

describe.each([
  { port: "TCP", skipped: false },
  // A pseudo terminal needs a system that has them.
  { port: "pseudo terminal", skipped: process.platform === "win32" },
])("over $port", ({ port, skipped }) => {
  let printer: Simulator;
  let destination = "";

  beforeEach(async () => {
    if (skipped) return;
    const tcpHost = ownLoopbackAddress(91, "127.0.0.1");
    printer = await startSimulator(port === "TCP" ? { tcpHost, tcpPort: RAW_PORT } : { pty: true });
    destination = printer.ptyPath ?? tcpHost;
    // receiptio opens only serial ports that the system lists, and no system lists pseudo terminals.
    if (printer.ptyPath !== undefined) {
      const described = { manufacturer: undefined, serialNumber: undefined, pnpId: undefined, locationId: undefined };
      const listed = { ...described, productId: undefined, vendorId: undefined, path: printer.ptyPath };
      vi.spyOn(SerialPort, "list").mockResolvedValue([listed]);
    }
  });

  afterEach(async () => {
    vi.restoreAllMocks();
    if (!skipped) await printer.close();
  });

  const print = (document: string, options = ""): Promise<string> =>
    receiptio.print(document, `-d ${destination} -l en ${options}`.trim());

  it.skipIf(skipped)("prints, and hears that it was a success", async () => {
    expect(await print(DOCUMENT)).toBe("success");
    const page = await printer.printed();
    expect(page.text.split("\n").map((line) => line.trim().replace(/ +/g, " "))).toEqual([
      "Café",
      "",
      "Espresso 4,40 €",
      "─".repeat(48),
    ]);
    expect((await decodeSymbols(page)).map(({ text }) => text)).toEqual(["https://example.com/r/1"]);
    // On a busy computer it may say hello again.
    expect([...new Set(describeDiagnostics(printer.diagnostics))]).toEqual(HELLO);
  });

  it.skipIf(skipped)("reports an open cover, and prints when it is closed", async () => {
    printer.fail("cover-open");
    expect(await print("too early\n")).toBe("coveropen");
    expect(await print("", "-q")).toBe("coveropen");
    printer.fail("cover-closed");
    expect(await print("", "-q")).toBe("online");
    expect(await print("now\n")).toBe("success");
    expect((await printer.printed()).text.trim()).toBe("now");
  });

  it.skipIf(skipped)("reports the end of the paper before and within a ticket, and prints on new paper", async () => {
    printer.fail("paper-end");
    expect(await print("too early\n")).toBe("paperempty");
    printer.fail("paper-loaded");
    expect(await print("now\n")).toBe("success");
    expect((await printer.printed()).text.trim()).toBe("now");
    printer.fail({ kind: "paper-end", atRow: printer.state.headRow + 200 });
    expect(await print("line\n".repeat(20))).toBe("paperempty");
    printer.fail("paper-loaded");
    expect(await print("after\n")).toBe("success");
    // What the printer had received goes on where the paper ended.
    const text = printer.text.replace(/\s+/g, " ");
    expect(text).toMatch(/^ ?now( line){20} after ?$/);
  });

  it.skipIf(skipped)("speaks every ESC/POS dialect that it knows for thermal printers", async () => {
    for (const dialect of ["escpos", "epson", "citizen", "fit", "generic"]) {
      expect(await print(`${dialect} €\n`, `-p ${dialect}`)).toBe("success");
      expect((await printer.printed()).text.trim()).toBe(`${dialect} €`);
    }
    expect(describeDiagnostics(printer.diagnostics)).toEqual([]);
  });
});

it("says when nobody is there", async () => {
  const printer = await startSimulator({ tcpHost: ownLoopbackAddress(91, "127.0.0.1"), tcpPort: RAW_PORT });
  printer.fail("link-cut");
  expect(await receiptio.print("x\n", `-d ${ownLoopbackAddress(91, "127.0.0.1")}`)).toBe("disconnect");
  await printer.close();
});
