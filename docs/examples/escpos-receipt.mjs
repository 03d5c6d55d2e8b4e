// A program of @node-escpos/core. To print through two spools, one line was changed:
//   const device = new Network("192.168.0.9");
import { Printer } from "@node-escpos/core";
import { TwinspoolAdapter } from "twinspool/node-escpos";

const device = new TwinspoolAdapter({ printer: "kitchen" });
device.open(async (error) => {
  if (error) throw error;
  const printer = new Printer(device, { encoding: "cp858", width: 48 });
  printer.align("ct").size(2, 2).text("Coffee").size(1, 1).text("2,80").cut();
  await printer.close();
  console.log("accepted");
});
