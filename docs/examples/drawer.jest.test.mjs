// Jest: NODE_OPTIONS=--experimental-vm-modules npx jest drawer.jest.test.mjs
import { once } from "node:events";
import { connect } from "node:net";
import { startSimulator } from "twinspool/firmware-sim";

/** The program under test: asks for the printer's status, then opens the drawer and prints, or says why not. */
async function payInCash(port, amount) {
  const socket = connect(port, "127.0.0.1");
  socket.write(Buffer.from([0x10, 0x04, 0x02]));
  const [status] = await once(socket, "data");
  if ((status[0] & 0x04) !== 0) {
    socket.destroy();
    return "close the cover of the printer";
  }
  socket.end(Buffer.from(`\x1b@\x1bp\x00\x19\xfaPAID ${amount}\n\x1dVB\x00`, "latin1"));
  return "paid";
}

let printer;
beforeEach(async () => {
  printer = await startSimulator({ profile: "xp-80", tcpPort: 0 });
});
afterEach(() => printer.close());

test("the drawer opens once, and the receipt is printed", async () => {
  expect(await payInCash(printer.port, "12.00")).toBe("paid");
  expect((await printer.printed()).text).toBe("PAID 12.00");
  expect(printer.pulses).toEqual([expect.objectContaining({ pin: 0, onMs: 50, offMs: 500 })]);
});

test("nothing opens and nothing prints while the cover is open", async () => {
  printer.fail("cover-open");
  expect(await payInCash(printer.port, "12.00")).toBe("close the cover of the printer");
  expect(printer.pulses).toEqual([]);
  expect(printer.text).toBe("");
  expect([...(printer.replies[0]?.bytes ?? [])]).toEqual([0x16]);
});
