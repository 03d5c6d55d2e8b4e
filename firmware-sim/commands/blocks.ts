import type { Engine } from "../engine.ts";
import type { Command } from "./command.ts";

/** Data bytes of one block; longer answers go on when the host has acknowledged the block before. */
const BLOCK_BYTES = 80;

function ascii(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0) & 0x7f);
}

/** Header, identifier, decimal digits, NUL. */
export function replyNumber(engine: Engine, identifier: number, value: number): void {
  engine.output.reply([0x37, identifier, ...ascii(String(value)), 0x00]);
}

/** Header, identifier, status (41h: more follows), data, NUL. */
export function replyInBlocks(engine: Engine, identifier: number, data: readonly number[]): void {
  const blocks: number[][] = [];
  for (let at = 0; at === 0 || at < data.length; at += BLOCK_BYTES) {
    const status = at + BLOCK_BYTES < data.length ? 0x41 : 0x40;
    blocks.push([0x37, identifier, status, ...data.slice(at, at + BLOCK_BYTES), 0x00]);
  }
  engine.memory.untransmitted = blocks;
  sendFirst(engine);
}

/** The block that was sent stays at the front until it is acknowledged; the last one needs no answer. */
function sendFirst(engine: Engine): void {
  const [block] = engine.memory.untransmitted;
  if (block !== undefined) engine.output.reply(block);
  if (engine.memory.untransmitted.length === 1) engine.memory.untransmitted = [];
}

/** ACK and NAK mean something only while blocks are waiting (GS ( L fn 64, GS ( C). */
export const BLOCK_COMMANDS: readonly Command[] = [
  {
    name: "ACK",
    prefix: [0x06],
    shape: { more: () => 0 },
    execute: (engine) => {
      engine.memory.untransmitted.shift();
      sendFirst(engine);
    },
  },
  { name: "NAK", prefix: [0x15], shape: { more: () => 0 }, execute: sendFirst },
];
