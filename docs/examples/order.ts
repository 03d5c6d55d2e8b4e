// A point of sale that prints from two spools: the bill for the guest, and the order for the kitchen, which is no good
// after half an hour. Where the server is comes from the configuration, or from TWINSPOOL_SERVER.
import { connect, TwinspoolError } from "twinspool";

const order: readonly (readonly [string, number])[] = [
  ["Coffee", 2.8],
  ["Cake", 3.2],
];
const total = order.reduce((sum, [, price]) => sum + price, 0);
const bill = [
  ...order.map(([name, price]) => name.padEnd(20) + price.toFixed(2).padStart(8)),
  `TOTAL ${total.toFixed(2)}`,
];

const twinspool = await connect({ name: "till 1", onNote: (text) => console.log(text) });
try {
  const kitchen = await twinspool.submit(
    { text: `${order.map(([name]) => name).join("\n")}\n` },
    { printer: "kitchen", title: "order 7", priority: 80, expiresMs: 30 * 60_000 },
  );
  const guest = await twinspool.submit({ text: `${bill.join("\n")}\n` }, { printer: "kitchen", title: "bill 7" });
  // From here on both are printed, whatever dies.
  await Promise.all([kitchen.accepted, guest.accepted]);
  for await (const { event, detail } of kitchen) {
    if (event === "held") console.log(`the kitchen's order waits: ${detail}`);
  }
  console.log(`order 7: ${(await kitchen.ended).outcome}, bill 7: ${(await guest.ended).outcome}`);
} catch (error) {
  // The sentence says what happened and what to do next.
  console.log(error instanceof TwinspoolError ? `${error.code}: ${error.message}` : error);
  process.exitCode = 1;
}
for (const job of await twinspool.close()) console.log(`${job.title} is still open (${job.where})`);
