// Makes docs/images/simulator-page.png: the live page in a real browser, with a receipt cut and one coming out.

import { once } from "node:events";
import { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { startSimulator, startWebPage } from "../firmware-sim/mod.ts";
import { findChromium, launchChromium } from "../tests/browser/chromium.ts";

const TAKE_AWAY = [
  "\x1b@\x1ba\x01\x1d!\x11CORNER CAFE\n\x1d!\x0012 Harbour Street\n\n\x1ba\x00",
  "2 x Flat white                              7.60\n",
  "1 x Lemon cake                              4.20\n",
  "1 x Cheese toast                            6.50\n",
  "------------------------------------------------\n",
  "\x1bE\x01\x1d!\x01TOTAL                                      18.30\n\x1d!\x00\x1bE\x00",
  "Card                                       18.30\n\n\x1ba\x01Thank you. See you soon!\n\n",
  "\x1dh\x50\x1dw\x02\x1dH\x02\x1dk\x49\x0c{BRCPT-00417",
  "\x1dVB\x00",
].join("");
const KITCHEN =
  "\x1ba\x00\x1b!\x30TABLE 12\n\x1b!\x00Order 0418           19:42\n\n\x1b!\x10 2  Onion soup\n 1  Sea bass\n    no butter\n 3  Chips\n";

const executable = findChromium();
if (executable === undefined)
  throw new Error("Chromium is not installed: put it on the PATH, or name it in CHROME_PATH");
const folder = fileURLToPath(new URL("../docs/images/", import.meta.url));
const printer = await startSimulator({ tcpPort: 0 });
const page = await startWebPage(printer, 0);
const browser = await launchChromium(executable);
try {
  const view = await browser.newPage({ viewport: { width: 1180, height: 1060 }, reducedMotion: "reduce" });
  await view.goto(page.url);
  const host = new Socket().connect(printer.port ?? 0, "127.0.0.1");
  const answered = once(host, "data");
  host.write(Buffer.from(`\x10\x04\x01${TAKE_AWAY}\x1bp\x00\x19\x7d${KITCHEN}`, "latin1"));
  await Promise.all([answered, view.locator("#ticket-1").waitFor(), view.locator("#strips img").first().waitFor()]);
  printer.fail("paper-near-end");
  await view.locator("#lamps .warning").waitFor();
  await view.screenshot({ path: `${folder}simulator-page.png` });
  host.destroy();
} finally {
  await browser.close();
  await page.close();
  await printer.close();
}
