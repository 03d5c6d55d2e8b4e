import { equal, match, ok, rejects, throws } from "node:assert/strict";
import { existsSync } from "node:fs";
import type { BenchPrinter } from "./bench-printer.ts";
import { type Checks, until } from "./checks.ts";
import { dots, longText, MEBIBYTE, processId, processIdAnswer, receipt, STATUS_REQUEST, ticketLine } from "./jobs.ts";
import { LibusbPrinter } from "./libusb-printer.ts";
import { LinePrinter } from "./line-printer.ts";

const READ_BYTES = 512;
/** Bits of the port status: paper empty, selected, no error. */
const READY = 0x18;
const PAPER_OUT = 0x30;

/** The printer as the package `usb` has it: taken from the kernel's driver, and given back. */
export async function checkLibusb(checks: Checks, bench: BenchPrinter): Promise<void> {
  const device = await openWhileKernelHasIt(checks, bench);
  await checks.check("libusb: identity and port status, also without paper", async () => {
    match(await device.deviceId(), /^MFG:EPSON;.*MDL:TM-T88VI;/);
    equal(await device.portStatus(), READY);
    await bench.fail("paper-end");
    equal(await device.portStatus(), PAPER_OUT);
    await bench.fail("paper-loaded");
    equal(await device.portStatus(), READY);
    return undefined;
  });
  await checks.check("libusb: a receipt is on paper dot for dot", async () => {
    const job = receipt("libusb");
    const printed = bench.compareNext(job);
    equal(await device.write(job), job.length);
    return await printed;
  });
  await checks.check("libusb: status and process ID come back", async () => {
    await device.write(STATUS_REQUEST);
    equal((await device.read(READ_BYTES)).toString("hex"), "12");
    // A read that was there before there was anything to say.
    const answer = device.read(READ_BYTES);
    await device.write(processId("US01"));
    equal((await answer).toString("hex"), processIdAnswer("US01"));
    return undefined;
  });
  await checks.check("libusb: 1 MiB in one transfer is on paper dot for dot", async () => {
    const job = dots(MEBIBYTE);
    const printed = bench.compareNext(job);
    const startedMs = performance.now();
    equal(await device.write(job), job.length);
    const seconds = (performance.now() - startedMs) / 1000;
    return `${await printed}, transferred in ${seconds.toFixed(2)} s`;
  });
  await checks.check("libusb: a stalled endpoint works again when its halt is cleared", async () => {
    await bench.stall("out");
    await rejects(device.write(STATUS_REQUEST), /STALL/);
    await device.clearHalt("out");
    await device.write(STATUS_REQUEST);
    equal((await device.read(READ_BYTES)).toString("hex"), "12");
    return undefined;
  });
  await checks.check("libusb: released, it is usblp's again", async () => {
    await device.release();
    device.returnToKernel();
    device.close();
    const lp = await LinePrinter.open(bench.device);
    const job = receipt("usblp again");
    const printed = bench.compareNext(job);
    await lp.write(job);
    lp.close();
    return await printed;
  });
  await checkUnplugging(checks, bench);
}

/** The kernel's driver first keeps the printer, then has to give it up. */
async function openWhileKernelHasIt(checks: Checks, bench: BenchPrinter): Promise<LibusbPrinter> {
  await until(`${bench.device} is there`, () => (existsSync(bench.device) ? true : undefined));
  const device = await LibusbPrinter.open();
  await checks.check("libusb: taken from usblp, and not without asking", async () => {
    equal(device.kernelDriverActive, true);
    throws(() => device.claim(), /BUSY/);
    device.claimFromKernel();
    await until(`${bench.device} is gone`, () => (existsSync(bench.device) ? undefined : true));
    return undefined;
  });
  return device;
}

async function checkUnplugging(checks: Checks, bench: BenchPrinter): Promise<void> {
  await checks.check("libusb: the cable is pulled in the middle of a transfer", async () => {
    const device = await LibusbPrinter.open();
    device.claimFromKernel();
    await bench.fail("cover-open");
    const before = await bench.receivedBytes();
    const reading = rejects(device.read(READ_BYTES), /NO_DEVICE/);
    const writing = rejects(device.write(longText(5000)), /NO_DEVICE/);
    await until("the printer has received something", async () =>
      (await bench.receivedBytes()) > before ? true : undefined,
    );
    const unplugged = bench.unplug();
    await Promise.all([writing, reading, unplugged]);
    device.close();
    return `${(await bench.receivedBytes()) - before} bytes had arrived`;
  });
  await checks.check("libusb: plugged in again it prints on", async () => {
    await bench.replug();
    const device = await LibusbPrinter.open();
    await until(`${bench.device} is there`, () => (existsSync(bench.device) ? true : undefined));
    device.claimFromKernel();
    const torn = bench.nextText();
    await bench.fail("cover-closed");
    await device.write(Buffer.from("\n\x1dVB\0", "latin1"));
    const lines = (await torn).trimEnd().split("\n");
    ok(lines.length > 1 && lines.every((line, index) => ticketLine(index).startsWith(line)));
    const job = receipt("after the replug");
    const printed = bench.compareNext(job);
    await device.write(job);
    const remark = await printed;
    await device.release();
    device.close();
    return remark;
  });
}
