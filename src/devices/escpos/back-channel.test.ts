import { describe, expect, it } from "vitest";
import type { AsbStatus, BackChannelEvent } from "./back-channel.ts";
import { BackChannel, decodeRealTimeStatus } from "./back-channel.ts";

const well: AsbStatus = {
  drawerPinHigh: false,
  offline: false,
  coverOpen: false,
  feeding: false,
  waitingForRecovery: false,
  recoverableError: false,
  cutterError: false,
  unrecoverableError: false,
  autoRecoverableError: false,
  paperNearEnd: false,
  paperEnd: false,
};

const ascii = (text: string): number[] => [...text].map((character) => character.charCodeAt(0));
const push = (bytes: readonly number[]): BackChannelEvent[] => new BackChannel().push(Uint8Array.from(bytes));

describe("one answer each", () => {
  it.each<[string, number[], BackChannelEvent]>([
    ["ASB, all well", [0x10, 0, 0, 0x0f], { kind: "asb", status: well }],
    ["ASB, cover open", [0x38, 0, 0, 0], { kind: "asb", status: { ...well, offline: true, coverOpen: true } }],
    [
      "ASB, errors and paper",
      [0x1c, 0x6d, 0x0f, 0],
      {
        kind: "asb",
        status: {
          ...well,
          drawerPinHigh: true,
          offline: true,
          waitingForRecovery: true,
          recoverableError: true,
          cutterError: true,
          unrecoverableError: true,
          autoRecoverableError: true,
          paperNearEnd: true,
          paperEnd: true,
        },
      },
    ],
    ["process ID", [0x37, 0x22, ...ascii("a=_7"), 0], { kind: "process-id", id: "a=_7" }],
    ["clear response", [0x37, 0x25, 0], { kind: "clear-response" }],
    ["DLE EOT", [0x16], { kind: "real-time-status", value: 0x16 }],
    ["GS r", [0x03], { kind: "gs-r", value: 3 }],
    ["XON", [0x11], { kind: "xon" }],
    ["XOFF", [0x13], { kind: "xoff" }],
    ["GS I 66", [0x5f, ...ascii("EPSON"), 0], { kind: "block", header: 0x5f, text: "EPSON" }],
    ["QR size", [0x37, 0x36, 0x31, 0x1f, 0x32, 0], { kind: "block", header: 0x37, text: "61\u001f2" }],
    ["extended ASB", [0x39, 0x00, 0x40, 0x00], { kind: "block", header: 0x39, text: "\u0000@" }],
    ["power off", [0x3b, 0x30, 0], { kind: "block", header: 0x3b, text: "0" }],
    ["nothing known", [0x91], { kind: "unknown", byte: 0x91 }],
  ])("%s", (_name, bytes, event) => {
    expect(push(bytes)).toEqual([event]);
  });
});

describe("answers in pieces", () => {
  const stream = [
    ...[0x10, 0, 0, 0x0f],
    0x12,
    ...[0x37, 0x22, ...ascii("ABC1"), 0],
    ...[0x38, 0, 0x0c, 0],
    0x00,
    ...[0x5f, ...ascii("TM"), 0],
    ...[0x37, 0x22, ...ascii("ABC2"), 0],
    0x0c,
  ];

  it("are put together at every split", () => {
    const whole = push(stream);
    expect(whole.map((event) => event.kind)).toEqual([
      "asb",
      "real-time-status",
      "process-id",
      "asb",
      "gs-r",
      "block",
      "process-id",
      "gs-r",
    ]);
    for (let first = 0; first <= stream.length; first++) {
      for (let second = first; second <= stream.length; second++) {
        const channel = new BackChannel();
        const parts = [stream.slice(0, first), stream.slice(first, second), stream.slice(second)];
        expect(parts.flatMap((part) => channel.push(Uint8Array.from(part)))).toEqual(whole);
      }
    }
  });

  it("bear XON and XOFF inside a block and inside ASB", () => {
    expect(push([0x37, 0x22, 0x41, 0x13, 0x42, 0x11, 0x43, 0x44, 0]).map((event) => event.kind)).toEqual([
      "xoff",
      "xon",
      "process-id",
    ]);
    expect(push([0x10, 0x13, 0, 0x11, 0, 0]).map((event) => event.kind)).toEqual(["xoff", "xon", "asb"]);
  });

  it("bear an answer to DLE EOT inside ASB", () => {
    expect(push([0x10, 0, 0x12, 0, 0]).map((event) => event.kind)).toEqual(["real-time-status", "asb"]);
  });
});

describe("lost bytes", () => {
  it("cost one answer: a block without its end", () => {
    expect(push([0x37, 0x22, 0x41, 0x42, 0x10, 0, 0, 0]).map((event) => event.kind)).toEqual(["asb"]);
  });

  it("cost one answer: ASB without its end", () => {
    expect(push([0x10, 0, 0x37, 0x22, ...ascii("ABCD"), 0]).map((event) => event.kind)).toEqual(["process-id"]);
    expect(push([0x10, 0, 0x18, 0, 0, 0])).toEqual([{ kind: "asb", status: { ...well, offline: true } }]);
  });

  it("never take memory without bound", () => {
    const channel = new BackChannel();
    channel.push(Uint8Array.of(0x5f));
    for (let i = 0; i < 10; i++) channel.push(new Uint8Array(1000).fill(0x41));
    expect(channel.push(Uint8Array.of(0x12)).map((event) => event.kind)).toEqual(["real-time-status"]);
  });

  it("do not make a process ID of the wrong length", () => {
    expect(push([0x37, 0x22, 0x41, 0x42, 0])).toEqual([{ kind: "block", header: 0x37, text: '"AB' }]);
  });
});

describe("DLE EOT 1 to 4 together", () => {
  it("say the same as ASB", () => {
    expect(decodeRealTimeStatus([0x12, 0x12, 0x12, 0x12])).toEqual(well);
    expect(decodeRealTimeStatus([0x1a, 0x36, 0x1a, 0x7e])).toEqual({
      ...well,
      offline: true,
      coverOpen: true,
      cutterError: true,
      paperNearEnd: true,
      paperEnd: true,
    });
    expect(decodeRealTimeStatus([0x12])).toEqual(well);
  });
});
