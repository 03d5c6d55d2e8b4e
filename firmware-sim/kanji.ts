/** Whose two-byte characters a printer knows; the Japanese models switch between JIS and Shift_JIS with FS C. */
export type KanjiSystem = "japanese" | "gb18030" | "big5" | "ks-c-5601";

export type KanjiCoding = "jis" | "shift-jis" | Exclude<KanjiSystem, "japanese">;

interface Coding {
  readonly label: string;
  /** Ranges of first bytes. */
  readonly leads: readonly (readonly [number, number])[];
  /** Added to both bytes before decoding: JIS codes are EUC codes without their eighth bit. */
  readonly offset: number;
  /** FS 2: the first byte and the ranges of the second that belong to the user. */
  readonly userLead: number;
  readonly userTrails: readonly (readonly [number, number])[];
}

const CODINGS: Readonly<Record<KanjiCoding, Coding>> = {
  jis: { label: "euc-jp", leads: [[0x21, 0x7e]], offset: 0x80, userLead: 0x77, userTrails: [[0x21, 0x7e]] },
  "shift-jis": {
    label: "shift_jis",
    leads: [
      [0x81, 0x9f],
      [0xe0, 0xfc],
    ],
    offset: 0,
    userLead: 0xec,
    userTrails: [
      [0x40, 0x7e],
      [0x80, 0x9e],
    ],
  },
  gb18030: { label: "gb18030", leads: [[0x81, 0xfe]], offset: 0, userLead: 0xfe, userTrails: [[0xa1, 0xfe]] },
  big5: { label: "big5", leads: [[0x81, 0xfe]], offset: 0, userLead: 0xfe, userTrails: [[0xa1, 0xfe]] },
  "ks-c-5601": { label: "euc-kr", leads: [[0xa1, 0xfe]], offset: 0, userLead: 0xfe, userTrails: [[0xa1, 0xfe]] },
};

function within(ranges: readonly (readonly [number, number])[], byte: number): boolean {
  return ranges.some(([from, to]) => byte >= from && byte <= to);
}

export function isKanjiLead(coding: KanjiCoding, byte: number): boolean {
  return within(CODINGS[coding].leads, byte);
}

/** Bytes of the character that begins so: GB18030 has four-byte codes, told by a digit in second place. */
export function kanjiLength(coding: KanjiCoding, bytes: readonly number[]): number {
  const trail = bytes[1] ?? 0;
  return coding === "gb18030" && trail >= 0x30 && trail <= 0x39 ? 4 : 2;
}

const decoders = new Map<string, { decode(bytes: Uint8Array): string }>();

/** The character of a code, or undefined where the code is not assigned. */
export function decodeKanji(coding: KanjiCoding, bytes: readonly number[]): number | undefined {
  const { label, offset } = CODINGS[coding];
  let decoder = decoders.get(label);
  if (decoder === undefined) {
    decoder = new TextDecoder(label);
    decoders.set(label, decoder);
  }
  const decoded = decoder.decode(Uint8Array.from(bytes, (byte) => byte + offset));
  const codePoint = decoded.codePointAt(0);
  const isOne = codePoint !== undefined && decoded.length === String.fromCodePoint(codePoint).length;
  return isOne && codePoint !== 0xfffd ? codePoint : undefined;
}

export function isUserKanji(coding: KanjiCoding, first: number, second: number): boolean {
  const { userLead, userTrails } = CODINGS[coding];
  return first === userLead && within(userTrails, second);
}
