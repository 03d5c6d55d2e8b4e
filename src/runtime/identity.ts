import { randomBytes } from "node:crypto";

const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
/** Bytes from here on would make the first letters likelier than the rest. */
const fairBelow = 256 - (256 % alphabet.length);

/** A random text of a-z and 0-9, each character equally likely, from the system's secure source. */
export function randomText(chars: number): string {
  let text = "";
  while (text.length < chars) {
    for (const byte of randomBytes(chars)) {
      if (byte < fairBelow && text.length < chars) text += alphabet[byte % alphabet.length];
    }
  }
  return text;
}

/** Who a client is, for the life of its data folder. */
export function newClientId(): string {
  return randomText(8);
}

/** What only a client and its server know. */
export function newClientSecret(): string {
  return randomText(32);
}

/** One life of a client's data folder: a folder restored from a backup gets another (design §3). */
export function newNonce(): string {
  return randomText(6);
}

/** One life of a host's ledger. */
export function newIncarnation(): string {
  return randomText(12);
}
