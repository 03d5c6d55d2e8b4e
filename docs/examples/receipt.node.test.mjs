// Node's own test runner: node --test receipt.node.test.mjs
import assert from "node:assert/strict";
import { connect } from "node:net";
import { afterEach, beforeEach, test } from "node:test";
import { startSimulator } from "twinspool/firmware-sim";

/** The program under test: prints a receipt on a network printer. */
function printReceipt(port, items) {
  const lines = items.map(([name, price]) => name.padEnd(40) + price.toFixed(2).padStart(8));
  const total = items.reduce((sum, [, price]) => sum + price, 0);
  const socket = connect(port, "127.0.0.1");
  socket.end(Buffer.from(`\x1b@${lines.join("\n")}\n\x1bE\x01TOTAL ${total.toFixed(2)}\n\x1dVB\x00`, "latin1"));
}

let printer;
beforeEach(async () => {
  printer = await startSimulator({ profile: "tm-m30iii", tcpPort: 0 });
});
afterEach(() => printer.close());

test("the receipt has its lines and its total", async () => {
  printReceipt(printer.port, [
    ["Coffee", 2.8],
    ["Cake", 3.2],
  ]);
  const receipt = await printer.printed();
  assert.match(receipt.text, /^Coffee +2\.80\nCake +3\.20\nTOTAL 6\.00$/);
  assert.equal(receipt.widthDots, 576);
  assert.equal(receipt.cut, "partial");
  assert.deepEqual(printer.diagnostics, []);
});

test("a receipt waits while the cover is open, and is printed once", async () => {
  printer.fail("cover-open");
  printReceipt(printer.port, [["Tea", 2.5]]);
  assert.equal(printer.state.online, false);
  assert.equal(printer.paper.length, 0);
  printer.fail("cover-closed");
  assert.match((await printer.printed()).text, /TOTAL 2\.50/);
  assert.equal(printer.paper.length, 1);
});
