/** Primary result codes of SQLite (sqlite.org/rescode.html) that mean something to a person. */
const names = new Map([
  [5, "busy"],
  [6, "busy"],
  [10, "failed"],
  [8, "failed"],
  [14, "failed"],
  [11, "corrupt"],
  [26, "corrupt"],
  [13, "full"],
] as const);

export type SqliteCode = "busy" | "failed" | "corrupt" | "full";

/** What kind of trouble an error of the database is, undefined when it is none of the disk's. */
export function sqliteCode(error: unknown): SqliteCode | undefined {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return undefined;
  // The low byte of an extended code is its primary code.
  const primary = error.errcode & 0xff;
  for (const [code, name] of names) if (code === primary) return name;
  return undefined;
}
