/** Runs in the guest: a simulated printer is plugged into its kernel, and printed on in every way a program can. */
import { BenchPrinter } from "./bench-printer.ts";
import { checkCables } from "./cable-checks.ts";
import { Checks, say } from "./checks.ts";
import { checkLibusb } from "./libusb-checks.ts";
import { checkUsblp } from "./usblp-checks.ts";

const checks = new Checks();
const bench = await BenchPrinter.start("tm-t88vi", "/dev/usb/lp0");
await checkUsblp(checks, bench);
await checkLibusb(checks, bench);
await checkCables(checks, bench);
await checks.check("the cable is out and the kernel has let go", async () => {
  await bench.close();
  return undefined;
});
const exitCode = checks.end();
say(`# ${(process.uptime()).toFixed(1)} s in the test program`);
process.exit(exitCode);
