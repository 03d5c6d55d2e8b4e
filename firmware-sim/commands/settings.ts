import type { Engine } from "../engine.ts";
import { savedModesOf } from "../saved-modes.ts";
import { replyInBlocks, replyNumber } from "./blocks.ts";
import { type Command, code, digit, ESC, fixed, GS, LENGTH_PREFIXED, word } from "./command.ts";

function characters(bytes: ArrayLike<number>): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

function ascii(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}

// ---- GS ( E: user settings

const SWITCHES_OFF = "00000000";
/** Fn 12: 38400 baud, no parity, DTR/DSR, 8 bits. */
const SERIAL_DEFAULTS = new Map([
  [1, "38400"],
  [2, "0"],
  [3, "0"],
  [4, "8"],
]);

/** Fn 3: a bank, then switches 8 to 1 as 48 off, 49 on, 50 as it was; any number of times. */
function setSwitches(engine: Engine, data: Uint8Array): void {
  const { switches } = engine.memory.nv;
  for (let at = 1; at + 9 <= data.length; at += 9) {
    const bank = data[at] ?? 0;
    const wanted = data.subarray(at + 1, at + 9);
    if (bank < 1 || bank > 8 || !wanted.every((byte) => byte >= 48 && byte <= 50)) {
      engine.output.diagnose("out-of-range", "banks 1 to 8, switches 48 to 50");
      return;
    }
    const before = switches.get(bank) ?? SWITCHES_OFF;
    const after = Array.from(wanted, (byte, index) => (byte === 50 ? (before[index] ?? "0") : String(byte - 48)));
    switches.set(bank, after.join(""));
  }
  engine.memory.nv.changed();
}

/** Fn 5: number and value, any number of times. */
function setValues(engine: Engine, data: Uint8Array): void {
  for (let at = 1; at + 3 <= data.length; at += 3) engine.memory.nv.values.set(data[at] ?? 0, word(data, at + 1));
  engine.memory.nv.changed();
}

type Setting = (engine: Engine, data: Uint8Array) => void;

/** What can only be changed within the user setting mode (fn 1 to fn 2). */
const CHANGING: ReadonlyMap<number, Setting> = new Map<number, Setting>([
  [3, setSwitches],
  [5, setValues],
  [
    11,
    (engine, data) => {
      engine.memory.nv.serialSettings.set(data[1] ?? 0, characters(data.subarray(2)));
      engine.memory.nv.changed();
    },
  ],
]);

const READING: ReadonlyMap<number, Setting> = new Map<number, Setting>([
  [
    1,
    (engine, data) => {
      if (characters(data.subarray(1)) !== "IN") return;
      engine.memory.userSetting = true;
      engine.output.reply([0x37, 0x20, 0x00]);
    },
  ],
  [
    2,
    (engine, data) => {
      if (!engine.memory.userSetting || characters(data.subarray(1)) !== "OUT") return;
      engine.memory.userSetting = false;
      // The mode ends with a software reset, after which the new settings count.
      engine.initialize();
      engine.output.restart?.();
    },
  ],
  [
    4,
    (engine, data) => {
      const bits = engine.memory.nv.switches.get(data[1] ?? 0) ?? SWITCHES_OFF;
      engine.output.reply([0x37, 0x21, ...ascii(bits), 0x00]);
    },
  ],
  [
    6,
    (engine, data) => {
      const number = data[1] ?? 0;
      const value = engine.memory.nv.values.get(number) ?? 0;
      engine.output.reply([0x37, 0x27, ...ascii(String(number)), 0x1f, ...ascii(String(value)), 0x00]);
    },
  ],
  [
    12,
    (engine, data) => {
      const number = data[1] ?? 0;
      const text = engine.memory.nv.serialSettings.get(number) ?? SERIAL_DEFAULTS.get(number);
      if (text === undefined) engine.output.diagnose("out-of-range", "serial settings are 1 to 4");
      else engine.output.reply([0x37, 0x33, ...ascii(String(number)), 0x1f, ...ascii(text), 0x00]);
    },
  ],
]);

function userSetting(engine: Engine, data: Uint8Array): void {
  const fn = data[0] ?? 0;
  const change = CHANGING.get(fn);
  const read = READING.get(fn);
  if (change !== undefined && engine.memory.userSetting) change(engine, data);
  else if (change !== undefined) engine.output.diagnose("ignored", "only in the user setting mode");
  else if (read !== undefined) read(engine, data);
  else engine.output.diagnose("unsupported", `GS ( E has no function ${fn}`);
}

// ---- GS ( C: user records in NV memory

function usedRecordBytes(records: ReadonlyMap<string, Uint8Array>): number {
  let bytes = 0;
  for (const record of records.values()) bytes += record.length + 2;
  return bytes;
}

function storeRecord(engine: Engine, key: string, record: Uint8Array): void {
  const { records } = engine.memory.nv;
  const old = records.get(key);
  const used = usedRecordBytes(records) - (old === undefined ? 0 : old.length + 2);
  if (used + record.length + 2 > engine.profile.memory.nvRecordBytes) {
    engine.output.diagnose("ignored", "no room left in the NV user memory");
    return;
  }
  records.set(key, record);
  engine.memory.nv.changed();
}

/** m = 0, fn, b = 0, then a key of two characters and the data. */
function userRecords(engine: Engine, data: Uint8Array): void {
  const { nv } = engine.memory;
  const key = characters(data.subarray(3, 5));
  switch (digit(data[1] ?? 0)) {
    case 0:
      if (nv.records.delete(key)) nv.changed();
      break;
    case 1:
      storeRecord(engine, key, data.slice(5));
      break;
    case 2:
      replyInBlocks(engine, 0x70, [...(nv.records.get(key) ?? [])]);
      break;
    case 3:
      replyNumber(engine, 0x28, usedRecordBytes(nv.records));
      break;
    case 4:
      replyNumber(engine, 0x29, engine.profile.memory.nvRecordBytes - usedRecordBytes(nv.records));
      break;
    case 5:
      replyInBlocks(engine, 0x71, ascii([...nv.records.keys()].sort().join("")));
      break;
    case 6:
      if (characters(data.subarray(3, 6)) !== "CLR") break;
      nv.records.clear();
      nv.changed();
      break;
    default:
      engine.output.diagnose("unsupported", `GS ( C has no function ${data[1] ?? 0}`);
  }
}

// ---- GS ( M: setting values in NV memory

/** Fn 1 saves what is set, fn 2 loads it (m = 1) or the defaults (m = 0), fn 3 chooses which of them ESC @ and power on load. */
function customize(engine: Engine, data: Uint8Array): void {
  const [fn, m] = [digit(data[0] ?? 0), digit(data[1] ?? 0)];
  const { nv } = engine.memory;
  if (data.length !== 2 || fn < 1 || fn > 3 || m > 1 || (fn === 1 && m !== 1)) {
    engine.output.diagnose("out-of-range", "GS ( M takes 1 with m = 1, and 2 and 3 with m = 0 or 1");
  } else if (fn === 2) {
    engine.loadModes(m === 1 ? nv.savedModes : undefined);
  } else {
    if (fn === 1) nv.savedModes = savedModesOf(engine.modes, engine.text.modes);
    else nv.loadsSavedModes = m === 1;
    nv.changed();
  }
}

// ---- GS g, GS ( A

function transmitCounter(engine: Engine, counter: number): void {
  const value = engine.memory.nv.counter(counter);
  if (value === undefined) engine.output.diagnose("out-of-range", `no maintenance counter ${counter}`);
  else engine.output.reply([0x5f, ...ascii(String(Math.max(0, Math.floor(value)))), 0x00]);
}

/** GS ( A m = 2 prints what the printer is, m = 3 all its characters in rotation; both end with a cut. */
function testPrint(engine: Engine, data: Uint8Array): void {
  const mode = digit(data[1] ?? 0);
  if (mode !== 2 && mode !== 3) {
    engine.output.diagnose("unsupported", "test prints are 2 (status) and 3 (rolling pattern)");
    return;
  }
  if (!engine.atBeginningOfLine || engine.page !== undefined) {
    engine.output.diagnose("ignored", "not at the beginning of the line in standard mode");
    return;
  }
  engine.initialize();
  const { maker, model, firmware, serial } = engine.profile.identity;
  const all = characters(Array.from({ length: 95 }, (_, index) => index + 0x20));
  const lines =
    mode === 2
      ? [
          `${maker} ${model}`,
          `Firmware ${firmware}`,
          `Serial ${serial}`,
          `Receive buffer ${engine.profile.bufferBytes}`,
        ]
      : all.split("").map((_, index) => (all.slice(index) + all).slice(0, 32));
  for (const text of lines) {
    for (const byte of ascii(text)) engine.printByte(byte);
    engine.lineFeed();
  }
  engine.cut("partial", 0);
}

/** GS ( K fn 49: from here on 70 to 95 % in steps of 5; from 1 on 105 to 140 %. */
const LIGHTEST = 250;
const DARKEST = 8;

/** GS ( K: kept until ESC @. No dot is another one for it: speed and energy change the time that a row takes. */
function controlPrint(engine: Engine, fn: number, m: number): void {
  const { printControl } = engine.memory;
  const level = digit(m);
  const levels = engine.profile.speedLevels;
  if ((fn === 50 && level > levels) || (fn === 49 && m > DARKEST && m < LIGHTEST)) {
    engine.output.diagnose("out-of-range", `speeds are 0 to ${levels}, densities 250 to 255 and 0 to 8`);
    return;
  }
  printControl.set(fn, fn === 50 ? level : m);
  const { values } = engine.memory.nv;
  // 0 is the customized value of GS ( E fn 5; where there is none, the fastest.
  const speed = printControl.get(50) || values.get(6) || levels;
  const density = (printControl.get(49) || values.get(5)) ?? 0;
  const percent = 100 + 5 * (density & 0x80 ? (density & 0xff) - 256 : density);
  engine.output.setDrive?.(Math.min(1, speed / levels), Math.min(140, Math.max(70, percent)) / 100);
}

export const SETTING_COMMANDS: readonly Command[] = [
  {
    name: "GS ( A",
    prefix: [GS, code("("), code("A")],
    shape: LENGTH_PREFIXED,
    execute: (engine, _params, data) => testPrint(engine, data),
  },
  {
    name: "GS ( C",
    prefix: [GS, code("("), code("C")],
    shape: LENGTH_PREFIXED,
    execute: (engine, _params, data) => userRecords(engine, data),
  },
  {
    name: "GS ( E",
    prefix: [GS, code("("), code("E")],
    shape: LENGTH_PREFIXED,
    execute: (engine, _params, data) => userSetting(engine, data),
  },
  {
    name: "GS ( M",
    prefix: [GS, code("("), code("M")],
    shape: LENGTH_PREFIXED,
    execute: (engine, _params, data) => customize(engine, data),
  },
  {
    name: "GS ( K",
    prefix: [GS, code("("), code("K")],
    shape: LENGTH_PREFIXED,
    execute: (engine, _params, [fn = 0, m = 0]) => {
      if ([48, 49, 50, 97].includes(fn)) controlPrint(engine, fn, m);
      else engine.output.diagnose("unsupported", `GS ( K has no function ${fn}`);
    },
  },
  {
    name: "GS g 0",
    prefix: [GS, code("g"), code("0")],
    shape: fixed(3),
    execute: (engine, params) => {
      const [, counter = 0] = [params[0], word(params, 1)];
      if (!engine.memory.nv.setCounter(counter, 0)) {
        engine.output.diagnose("out-of-range", `no maintenance counter ${counter} that can be set`);
      }
    },
  },
  {
    name: "GS g 2",
    prefix: [GS, code("g"), code("2")],
    shape: fixed(3),
    execute: (engine, params) => transmitCounter(engine, word(params, 1)),
  },
  // The wait for recovery when offline answers nothing and prints nothing.
  { name: "GS z 0", prefix: [GS, code("z"), code("0")], shape: fixed(2) },
  // The paper end signal is a wire of the parallel interface; on all others the manual ignores the command.
  { name: "ESC c 3", prefix: [ESC, code("c"), code("3")], shape: fixed(1) },
  {
    name: "ESC c 4",
    prefix: [ESC, code("c"), code("4")],
    shape: fixed(1),
    execute: (engine, [n = 0]) => engine.output.stopNearEnd?.((n & 3) !== 0),
  },
  {
    name: "ESC c 5",
    prefix: [ESC, code("c"), code("5")],
    shape: fixed(1),
    execute: (engine, [n = 0]) => {
      engine.modes.panelButtons = (n & 1) === 0;
    },
  },
];
