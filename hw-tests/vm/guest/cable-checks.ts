import { equal } from "node:assert/strict";
import { usb } from "usb";
import { BenchPrinter } from "./bench-printer.ts";
import type { Checks } from "./checks.ts";
import { dots, MEBIBYTE, receipt } from "./jobs.ts";
import { LinePrinter } from "./line-printer.ts";

const SMALL_JOB_BYTES = MEBIBYTE / 16;

/** Printers that come and go. */
export async function checkCables(checks: Checks, bench: BenchPrinter): Promise<void> {
  await checks.check("libusb tells of an unplugged and of a plugged printer", async () => {
    const detached = eventOf("detach");
    await bench.unplug();
    equal((await detached).deviceDescriptor.idVendor, 0x04b8);
    const attached = eventOf("attach");
    await bench.replug();
    equal((await attached).deviceDescriptor.idVendor, 0x04b8);
    return undefined;
  });
  await checks.check("a printer that was switched off and on prints on", async () => {
    await bench.fail("power-cut");
    await bench.gone();
    await bench.fail("power-on");
    await bench.replug();
    return await printOn(bench);
  });
  await checks.check("a printer that the kernel was told to let go prints on when it is taken again", async () => {
    await bench.detach();
    await bench.replug();
    return await printOn(bench);
  });
  await checkTwoPrinters(checks, bench);
}

async function checkTwoPrinters(checks: Checks, bench: BenchPrinter): Promise<void> {
  await LinePrinter.open(bench.device).then((lp) => lp.close());
  const second = await BenchPrinter.start("xp-80", "/dev/usb/lp1");
  await checks.check("two printers, one of them at full speed, each get their own", async () => {
    const [job, secondJob] = [dots(SMALL_JOB_BYTES), receipt("the second")];
    const printed = [bench.compareNext(job), second.compareNext(secondJob)];
    await Promise.all([writeTo(bench, job), writeTo(second, secondJob)]);
    return (await Promise.all(printed)).join(" and ");
  });
  await checks.check("the one prints while the other is unplugged", async () => {
    const job = dots(SMALL_JOB_BYTES);
    const printed = bench.compareNext(job);
    await Promise.all([writeTo(bench, job), second.unplug()]);
    return await printed;
  });
  await second.close();
}

async function printOn(bench: BenchPrinter): Promise<string> {
  const job = receipt("and on");
  const printed = bench.compareNext(job);
  await writeTo(bench, job);
  return await printed;
}

async function writeTo(bench: BenchPrinter, job: Uint8Array): Promise<void> {
  const lp = await LinePrinter.open(bench.device);
  try {
    await lp.write(job);
  } finally {
    lp.close();
  }
}

function eventOf(name: "attach" | "detach"): Promise<usb.Device> {
  return new Promise((resolve) => {
    usb.once(name, resolve);
  });
}
