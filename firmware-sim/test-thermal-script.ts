const NAMES: Readonly<Record<string, number>> = {
  NUL: 0,
  HT: 9,
  LF: 10,
  FF: 12,
  CR: 13,
  DLE: 16,
  ESC: 27,
  FS: 28,
  GS: 29,
};

/**
 * Bytes of a readable script (`*.thermal`): strings in quotes, names of control characters, numbers; a line whose first
 * word is '// is a comment. Text beyond ASCII is UTF-8.
 */
export function scriptBytes(script: string): Uint8Array {
  const bytes: number[] = [];
  for (const line of script.split("\n")) {
    if (line.trimStart().startsWith("'//")) continue;
    for (const [, text, word = ""] of line.matchAll(/"((?:\\.|[^"\\])*)"|(\S+)/g)) {
      if (text !== undefined) {
        bytes.push(...new TextEncoder().encode(text.replace(/\\(.)/g, "$1")));
        continue;
      }
      const value = NAMES[word] ?? Number(word);
      if (!Number.isInteger(value)) throw new Error(`neither a name nor a number: ${word}`);
      bytes.push(value);
    }
  }
  return Uint8Array.from(bytes);
}
