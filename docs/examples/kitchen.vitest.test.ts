// Vitest: npx vitest run kitchen.vitest.test.ts
import { type Simulator, startSimulator, VirtualClock } from "twinspool/firmware-sim";
import { afterEach, beforeEach, expect, test } from "vitest";

const clock = new VirtualClock();
let printer: Simulator;
beforeEach(async () => {
  printer = await startSimulator({ profile: "tm-t88vi", clock });
});
afterEach(() => printer.close());

/** The program under test: a kitchen ticket, and a process ID after it that comes back when it is on paper. */
function kitchenTicket(table: number, dishes: readonly string[], id: string): Uint8Array {
  const lines = dishes.map((dish) => `${dish}\n`).join("");
  return Buffer.from(`\x1b@\x1d!\x11TABLE ${table}\n\x1d!\x00${lines}\x1dVB\x00\x1d(H\x06\x0000${id}`, "latin1");
}

test("the ticket is on paper before the printer says so", async () => {
  const connection = printer.connect();
  await connection.write(kitchenTicket(7, ["2 x Soup", "1 x Fish"], "A001"));
  clock.advance(50);
  expect(printer.state.idle).toBe(false);
  expect(printer.replies).toEqual([]);
  clock.runAll();
  expect(printer.text).toBe("TABLE 7\n2 x Soup\n1 x Fish");
  expect(printer.replies.map(({ bytes }) => Buffer.from(bytes).toString("latin1"))).toEqual(['7"A001\0']);
});

test("the paper ends within a ticket, and the rest comes on the new roll", async () => {
  printer.fail("paper-end@30");
  await printer.connect().write(kitchenTicket(8, ["1 x Steak"], "A002"));
  clock.runAll();
  expect(printer.state.conditions.paperEnd).toBe(true);
  expect(printer.replies).toEqual([]);
  printer.fail("paper-loaded");
  clock.runAll();
  const ticket = await printer.printed();
  expect(ticket.text).toBe("TABLE 8\n1 x Steak");
  expect(ticket.splices).toEqual([30]);
  expect(printer.replies).toHaveLength(1);
});
