/** What a printer says about itself: ASB, or DLE EOT 1 to 4 put together. */
export interface AsbStatus {
  readonly drawerPinHigh: boolean;
  readonly offline: boolean;
  readonly coverOpen: boolean;
  /** Paper is being fed by the button. */
  readonly feeding: boolean;
  readonly waitingForRecovery: boolean;
  readonly recoverableError: boolean;
  readonly cutterError: boolean;
  readonly unrecoverableError: boolean;
  /** Hot head or the like: goes away by itself. */
  readonly autoRecoverableError: boolean;
  readonly paperNearEnd: boolean;
  readonly paperEnd: boolean;
}

export type BackChannelEvent =
  | { readonly kind: "asb"; readonly status: AsbStatus }
  /** GS ( H fn 48: 37h 22h d1-d4 00h. */
  | { readonly kind: "process-id"; readonly id: string }
  /** One byte of DLE EOT; which n it answers only the asker knows. */
  | { readonly kind: "real-time-status"; readonly value: number }
  | { readonly kind: "gs-r"; readonly value: number }
  | { readonly kind: "xon" }
  | { readonly kind: "xoff" }
  /** DLE DC4 fn 8 is done: 37h 25h 00h. */
  | { readonly kind: "clear-response" }
  | { readonly kind: "block"; readonly header: number; readonly text: string }
  | { readonly kind: "unknown"; readonly byte: number };

const xon = 0x11;
const xoff = 0x13;
const headers: ReadonlySet<number> = new Set([0x35, 0x37, 0x39, 0x3b, 0x3d, 0x5f]);
/** No block of the reference is longer; a longer one has lost its end. */
const longestBlockBytes = 256;

const isRealTimeStatus = (byte: number): boolean => (byte & 0x93) === 0x12;
const isAsbStart = (byte: number): boolean => (byte & 0x93) === 0x10;
const isStatusByte = (byte: number): boolean => (byte & 0x90) === 0;

/**
 * Takes the printer's bytes apart, in packets of any size. The bit patterns of the kinds exclude each other
 * (DLE EOT 0**1**10, first byte of ASB 0**1**00, others 0**0****, headers), so lost bytes cost one answer, not all.
 */
export class BackChannel {
  #asb: number[] = [];
  #block: number[] | undefined;

  /** Classifies the next bytes; incomplete answers wait for more. */
  push(bytes: Uint8Array): BackChannelEvent[] {
    const events: BackChannelEvent[] = [];
    for (const byte of bytes) {
      const event = this.#pushByte(byte);
      if (event !== undefined) events.push(event);
    }
    return events;
  }

  #pushByte(byte: number): BackChannelEvent | undefined {
    // Flow control may fall inside a block.
    if (byte === xon) return { kind: "xon" };
    if (byte === xoff) return { kind: "xoff" };
    if (this.#block !== undefined) {
      if (belongsToBlock(byte, this.#block)) return this.#pushBlockByte(byte, this.#block);
      this.#block = undefined;
    }
    if (isRealTimeStatus(byte)) return { kind: "real-time-status", value: byte };
    if (isAsbStart(byte)) {
      this.#asb = [byte];
      return undefined;
    }
    if (headers.has(byte)) {
      this.#asb = [];
      this.#block = [byte];
      return undefined;
    }
    if (!isStatusByte(byte)) {
      this.#asb = [];
      return { kind: "unknown", byte };
    }
    return this.#asb.length > 0 ? this.#pushAsbByte(byte) : { kind: "gs-r", value: byte };
  }

  #pushAsbByte(byte: number): BackChannelEvent | undefined {
    this.#asb.push(byte);
    const [b1, b2, b3, b4] = this.#asb;
    if (b1 === undefined || b2 === undefined || b3 === undefined || b4 === undefined) return undefined;
    this.#asb = [];
    return { kind: "asb", status: decodeAsb(b1, b2, b3) };
  }

  #pushBlockByte(byte: number, block: number[]): BackChannelEvent | undefined {
    block.push(byte);
    // Extended ASB has a fixed length; its second byte may be anything.
    const ended = block[0] === 0x39 ? block.length === 4 : byte === 0;
    if (!ended) return undefined;
    this.#block = undefined;
    return decodeBlock(block);
  }
}

/** Blocks carry 20h-7Eh, 1Fh between values, and 00h at the end; anything else says that the end was lost. */
function belongsToBlock(byte: number, block: readonly number[]): boolean {
  if (block[0] === 0x39) return true;
  if (block.length >= longestBlockBytes) return false;
  return byte === 0 || byte === 0x1f || (byte >= 0x20 && byte < 0x80);
}

function decodeBlock(block: readonly number[]): BackChannelEvent {
  const [header = 0, kind] = block;
  if (header === 0x37 && kind === 0x22 && block.length === 7) {
    return { kind: "process-id", id: String.fromCharCode(...block.slice(2, 6)) };
  }
  if (header === 0x37 && kind === 0x25 && block.length === 3) return { kind: "clear-response" };
  return { kind: "block", header, text: String.fromCharCode(...block.slice(1, -1)) };
}

function decodeAsb(b1: number, b2: number, b3: number): AsbStatus {
  return {
    drawerPinHigh: (b1 & 0x04) !== 0,
    offline: (b1 & 0x08) !== 0,
    coverOpen: (b1 & 0x20) !== 0,
    feeding: (b1 & 0x40) !== 0,
    waitingForRecovery: (b2 & 0x01) !== 0,
    recoverableError: (b2 & 0x04) !== 0,
    cutterError: (b2 & 0x08) !== 0,
    unrecoverableError: (b2 & 0x20) !== 0,
    autoRecoverableError: (b2 & 0x40) !== 0,
    paperNearEnd: (b3 & 0x03) !== 0,
    paperEnd: (b3 & 0x0c) !== 0,
  };
}

/** The answers to DLE EOT 1, 2, 3 and 4, in this order, as the same status. */
export function decodeRealTimeStatus(answers: readonly number[]): AsbStatus {
  const [printer = 0, offlineCause = 0, errorCause = 0, paper = 0] = answers;
  return {
    drawerPinHigh: (printer & 0x04) !== 0,
    offline: (printer & 0x08) !== 0,
    coverOpen: (offlineCause & 0x04) !== 0,
    feeding: (offlineCause & 0x08) !== 0,
    waitingForRecovery: (printer & 0x20) !== 0,
    recoverableError: (errorCause & 0x04) !== 0,
    cutterError: (errorCause & 0x08) !== 0,
    unrecoverableError: (errorCause & 0x20) !== 0,
    autoRecoverableError: (errorCause & 0x40) !== 0,
    paperNearEnd: (paper & 0x0c) !== 0,
    paperEnd: (paper & 0x60) !== 0,
  };
}
