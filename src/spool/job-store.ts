import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { DatabaseSync } from "@photostructure/sqlite";
import type { z } from "zod";
import { TwinspoolError } from "../protocol/errors.ts";
import type { RowWrite } from "../runtime/machine.ts";
import { diskError, makeFolderSync } from "./file-system.ts";
import { sqliteCode } from "./sqlite-error.ts";

/** Place of a value in a row's JSON, such as `$.ticket.printer`. */
export type JsonPath = `$.${string}`;

export interface JobStoreOptions {
  readonly indexes?: readonly IndexSpec[];
  /** Most bytes the database may take, without its write-ahead log; default: what the disk has. */
  readonly maxBytes?: number;
}

/** An order that `page` shall answer without sorting, and filters that it shall answer without reading the rows. */
export interface IndexSpec {
  readonly table: string;
  readonly path: JsonPath;
  /** Filters: in the same index, because an index more is a page more to write with every row. */
  readonly also?: readonly JsonPath[];
}

export interface StoredRow<T = unknown> {
  readonly key: string;
  readonly value: T;
}

export interface PageQuery {
  /** Rows are in the order of this value and then of their keys; default: of their keys. */
  readonly orderBy?: JsonPath;
  readonly newestFirst?: boolean;
  /** Most rows of one page. */
  readonly limit: number;
  /** `next` of the page before. */
  readonly before?: string;
  /** Only rows that have exactly these values. */
  readonly where?: Readonly<Record<JsonPath, string | number>>;
  /** Only rows whose value is `from` or more, and less than `below`. */
  readonly range?: { readonly path: JsonPath; readonly from?: number; readonly below?: number };
  /** Only rows whose text has this in it; A-Z are like a-z. */
  readonly contains?: { readonly path: JsonPath; readonly text: string };
  /** Only rows whose key begins so; keys are ASCII without control characters. */
  readonly keyPrefix?: string;
}

export interface Page {
  readonly rows: readonly StoredRow[];
  /** Where the next page begins; absent on the last. */
  readonly next?: string;
}

/** A row that was moved aside because it could not be understood. */
export interface QuarantinedRow {
  readonly table: string;
  readonly key: string;
  readonly value: string;
  readonly reason: string;
}

type Database = InstanceType<typeof DatabaseSync>;
type Statement = ReturnType<Database["prepare"]>;
type SqlValue = string | number;
type Check<T> = (value: unknown) => { readonly value: T } | { readonly reason: string };

const tablePattern = /^[a-z][A-Za-z0-9_]{0,40}$/;
const pathPattern = /^\$(\.[A-Za-z][A-Za-z0-9]*)+$/;
const quarantineTable = "quarantine";
const pageBytes = 4096;
/** Most kinds of statements kept prepared; queries of `page` come in few shapes. */
const statementsKept = 64;

/**
 * Opens the database of a spool and locks it against every other process for as long as it is open. Its tables hold one
 * JSON value a key. Throws `folder-in-use`, `database-corrupt` (the file is left as it is), `disk-full`, `disk-failed`.
 */
export function openJobStore(file: string, tables: readonly string[], options: JobStoreOptions = {}): JobStore {
  for (const table of tables) checkTable(table);
  makeFolderOf(file);
  const url = pathToFileURL(file);
  // A power cut while writing one sector may spoil the others of its flash page: no powersafe overwrite on SD cards.
  url.searchParams.set("psow", "0");
  let database: Database | undefined;
  try {
    database = new DatabaseSync(url.href);
    prepareDatabase(database, file, tables, options);
    return new JobStore(database, file, tables);
  } catch (error) {
    if (database?.isOpen) database.close();
    throw storeError(error, file);
  }
}

/** The same for a process without a disk: its rows last as long as it does. */
export function openMemoryStore(tables: readonly string[], options: JobStoreOptions = {}): JobStore {
  for (const table of tables) checkTable(table);
  const name = ":memory:";
  const database = new DatabaseSync(name);
  prepareDatabase(database, name, tables, options);
  return new JobStore(database, name, tables);
}

function makeFolderOf(file: string): void {
  try {
    makeFolderSync(dirname(file));
  } catch (error) {
    throw diskError(error, file);
  }
}

function prepareDatabase(database: Database, file: string, tables: readonly string[], options: JobStoreOptions): void {
  // The lock mode comes before the first access to the log, so that no shared memory is needed (sqlite.org/wal.html §8).
  database.exec("PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE");
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF");
  // Through a function, because a prepared statement would keep file and lock until it is garbage (see `close`).
  let verdict = "no answer";
  database.function("told", (text: unknown) => {
    verdict = String(text);
    return 0;
  });
  database.exec("SELECT told(quick_check) FROM pragma_quick_check LIMIT 1");
  if (verdict !== "ok") throw new TwinspoolError("database-corrupt", `${file} (${verdict})`);
  if (options.maxBytes !== undefined) {
    database.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(options.maxBytes / pageBytes))}`);
  }
  database.exec("BEGIN IMMEDIATE");
  // SQLite looks into the row for every entry of an index unless the table has row ids, and rows over a quarter of a
  // page overflow without them (sqlite.org/withoutrowid.html §4): filters would read the whole history.
  const withRowId = new Set(options.indexes?.map(({ table }) => table));
  for (const table of tables) {
    const kind = withRowId.has(table) ? "STRICT" : "STRICT, WITHOUT ROWID";
    database.exec(`CREATE TABLE IF NOT EXISTS "${table}" (key TEXT PRIMARY KEY, value TEXT NOT NULL) ${kind}`);
  }
  database.exec(
    `CREATE TABLE IF NOT EXISTS ${quarantineTable}
      (id INTEGER PRIMARY KEY, tableName TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, reason TEXT NOT NULL)`,
  );
  for (const { table, path, also = [] } of options.indexes ?? []) {
    checkTable(table);
    const name = [table, path, ...also].map((part) => part.replace("$.", "").replaceAll(".", "_")).join("_");
    const columns = [extract(path), "key", ...also.map(extract)];
    database.exec(`CREATE INDEX IF NOT EXISTS "${name}" ON "${table}" (${columns.join(", ")})`);
  }
  database.exec("COMMIT");
}

/** The durable rows of one spool. Its calls are synchronous: a commit has reached the disk when it returns. */
export class JobStore {
  readonly #database: Database;
  readonly #file: string;
  readonly #tables: ReadonlySet<string>;
  readonly #statements = new Map<string, Statement>();
  #failed: TwinspoolError | undefined;

  constructor(database: Database, file: string, tables: readonly string[]) {
    this.#database = database;
    this.#file = file;
    this.#tables = new Set(tables);
  }

  /**
   * Makes all of these writes durable, or none. Throws `disk-full` (nothing was written, the store goes on), or
   * `disk-failed`: then the process has to end, and every later call fails as well.
   */
  commit(writes: readonly RowWrite[]): void {
    if (writes.length === 0) return;
    const rows = writes.map((write) => ({ ...write, text: write.op === "put" ? toJson(write.value) : "" }));
    this.#transaction(() => {
      for (const { op, table, key, text } of rows) {
        const name = this.#table(table);
        if (op === "delete") this.#prepare(`DELETE FROM ${name} WHERE key = ?`).run(key);
        else this.#prepare(`INSERT OR REPLACE INTO ${name} (key, value) VALUES (?, ?)`).run(key, text);
      }
    });
  }

  /** All rows of a table in the order of their keys. Rows whose JSON is broken go into quarantine. */
  load(table: string): StoredRow[] {
    return this.#loadWith(table, (value) => ({ value }));
  }

  /** All rows that the schema accepts, in the order of their keys; the others go into quarantine with the reason. */
  loadChecked<T>(table: string, schema: z.ZodType<T>): StoredRow<T>[] {
    return this.#loadWith(table, (value) => {
      const checked = schema.safeParse(value);
      if (checked.success) return { value: checked.data };
      const issue = checked.error.issues[0];
      return { reason: `${issue?.path.join(".") || "row"}: ${issue?.message ?? "not valid"}` };
    });
  }

  get(table: string, key: string): unknown {
    const row = this.#read(`SELECT value FROM ${this.#table(table)} WHERE key = ?`, [key])[0];
    if (row === undefined) return undefined;
    const json = parseJson(String(row["value"]));
    if ("value" in json) return json.value;
    throw new TwinspoolError("database-corrupt", `${this.#file}: ${table} ${key} is ${json.reason}`);
  }

  count(table: string): number {
    return Number(this.#read(`SELECT count(*) AS n FROM ${this.#table(table)}`, [])[0]?.["n"]);
  }

  /** One page of a table; a row that is no JSON any more goes into quarantine and is left out. Throws `request-invalid` when `before` is not from a page before. */
  page(table: string, query: PageQuery): Page {
    const { sql, values } = pageSql(this.#table(table), query);
    const found = this.#read(sql, values);
    const shown = found.slice(0, query.limit);
    const last = shown.at(-1);
    return {
      rows: this.#sift(table, shown, (value) => ({ value })),
      ...(found.length > query.limit && last !== undefined
        ? { next: JSON.stringify([last["position"], last["key"]]) }
        : {}),
    };
  }

  /** Keys whose value at the path is smaller, at most `limit`, smallest first: what a clean-up deletes next. */
  keysBelow(table: string, path: JsonPath, value: number, limit: number): string[] {
    const place = extract(path);
    const sql = `SELECT key FROM ${this.#table(table)} WHERE ${place} < ? ORDER BY ${place}, key LIMIT ?`;
    return this.#read(sql, [value, limit]).map((row) => String(row["key"]));
  }

  /** Rows moved aside in this and former lives, oldest first. */
  quarantined(): QuarantinedRow[] {
    return this.#read(`SELECT tableName, key, value, reason FROM ${quarantineTable} ORDER BY id`, []).map((row) => ({
      table: String(row["tableName"]),
      key: String(row["key"]),
      value: String(row["value"]),
      reason: String(row["reason"]),
    }));
  }

  /** Moves the log into the database and gives up the lock. */
  close(): void {
    if (!this.#database.isOpen) return;
    this.#statements.clear();
    try {
      // The package finalizes prepared statements only as garbage, and until then the closed connection would stay
      // open and locked. Leaving WAL lets go of the lock, and leaves one whole file behind.
      if (this.#failed === undefined) {
        this.#database.exec("PRAGMA journal_mode = DELETE; PRAGMA locking_mode = NORMAL; SELECT 1 FROM sqlite_schema");
      }
    } catch (error) {
      throw storeError(error, this.#file);
    } finally {
      this.#database.close();
    }
  }

  #loadWith<T>(table: string, check: Check<T>): StoredRow<T>[] {
    return this.#sift(table, this.#read(`SELECT key, value FROM ${this.#table(table)} ORDER BY key`, []), check);
  }

  #sift<T>(table: string, found: readonly Record<string, unknown>[], check: Check<T>): StoredRow<T>[] {
    const rows: StoredRow<T>[] = [];
    const refused: QuarantinedRow[] = [];
    for (const row of found) {
      const key = String(row["key"]);
      const text = String(row["value"]);
      const json = parseJson(text);
      const checked = "reason" in json ? json : check(json.value);
      if ("value" in checked) rows.push({ key, value: checked.value });
      else refused.push({ table, key, value: text, reason: checked.reason });
    }
    if (refused.length > 0) this.#quarantine(refused);
    return rows;
  }

  #quarantine(rows: readonly QuarantinedRow[]): void {
    this.#transaction(() => {
      const insert = `INSERT INTO ${quarantineTable} (tableName, key, value, reason) VALUES (?, ?, ?, ?)`;
      for (const { table, key, value, reason } of rows) {
        this.#prepare(insert).run(table, key, value, reason);
        this.#prepare(`DELETE FROM ${this.#table(table)} WHERE key = ?`).run(key);
      }
    });
  }

  #transaction(work: () => void): void {
    if (this.#failed !== undefined) throw this.#failed;
    try {
      this.#prepare("BEGIN IMMEDIATE").run();
      work();
      this.#prepare("COMMIT").run();
    } catch (error) {
      throw this.#undo(storeError(error, this.#file));
    }
  }

  #undo(error: unknown): unknown {
    if (error instanceof TwinspoolError && error.code !== "disk-full") this.#failed = error;
    try {
      // SQLite rolls back by itself after some errors and not after others (sqlite.org/lang_transaction.html).
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
    } catch (cause) {
      this.#failed = new TwinspoolError("disk-failed", this.#file, { cause });
      return this.#failed;
    }
    return error;
  }

  #read(sql: string, values: readonly SqlValue[]): Record<string, unknown>[] {
    if (this.#failed !== undefined) throw this.#failed;
    try {
      return this.#prepare(sql).all(...values);
    } catch (error) {
      throw storeError(error, this.#file);
    }
  }

  #prepare(sql: string): Statement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    if (this.#statements.size >= statementsKept) this.#statements.clear();
    const made = this.#database.prepare(sql);
    this.#statements.set(sql, made);
    return made;
  }

  #table(table: string): string {
    if (!this.#tables.has(table)) throw new RangeError(`the job store was opened without the table ${table}`);
    return `"${table}"`;
  }
}

function pageSql(table: string, query: PageQuery): { sql: string; values: SqlValue[] } {
  const place = query.orderBy === undefined ? undefined : extract(query.orderBy);
  const [direction, sign] = query.newestFirst === true ? ["DESC", "<"] : ["ASC", ">"];
  const { conditions, values } = filterSql(query);
  if (query.before !== undefined) {
    const [position, key] = parseCursor(query.before);
    if (place === undefined) {
      conditions.push(`key ${sign} ?`);
      values.push(key);
    } else {
      // Twice the same bound: the first finds the place in the index, the second decides among equals.
      conditions.push(`${place} ${sign}= ?`, `(${place} ${sign} ? OR key ${sign} ?)`);
      values.push(position, position, key);
    }
  }
  const filter = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
  const order = place === undefined ? `key ${direction}` : `${place} ${direction}, key ${direction}`;
  const columns = `key, value, ${place ?? "0"} AS position`;
  values.push(query.limit + 1);
  return { sql: `SELECT ${columns} FROM ${table} ${filter} ORDER BY ${order} LIMIT ?`, values };
}

function filterSql({ where = {}, range, contains, keyPrefix }: PageQuery): {
  conditions: string[];
  values: SqlValue[];
} {
  const conditions: string[] = [];
  const values: SqlValue[] = [];
  const add = (condition: string, value: SqlValue | undefined): void => {
    if (value === undefined) return;
    conditions.push(condition);
    values.push(value);
  };
  for (const [path, value] of Object.entries(where)) add(`${extract(path)} = ?`, value);
  if (range !== undefined) {
    add(`${extract(range.path)} >= ?`, range.from);
    add(`${extract(range.path)} < ?`, range.below);
  }
  if (contains !== undefined) add(`instr(lower(${extract(contains.path)}), lower(?)) > 0`, contains.text);
  add("key >= ?", keyPrefix);
  // DEL stands behind every character that a key may have.
  add("key < ?", keyPrefix === undefined ? undefined : `${keyPrefix}\u007f`);
  return { conditions, values };
}

function parseCursor(text: string): [SqlValue, string] {
  const json = parseJson(text);
  const [position, key] = "value" in json && Array.isArray(json.value) ? json.value : [];
  if ((typeof position !== "number" && typeof position !== "string") || typeof key !== "string") {
    throw new TwinspoolError("request-invalid", `before: ${text.slice(0, 80)}`);
  }
  return [position, key];
}

/** Absent values count as 0, so that every row has its place in the order. */
function extract(path: string): string {
  if (!pathPattern.test(path)) throw new RangeError(`not a JSON path: ${path}`);
  // Without the check one rotten row would make every query of its table fail, and its own removal too.
  return `ifnull(CASE WHEN json_valid(value) THEN json_extract(value, '${path}') END, 0)`;
}

function checkTable(table: string): void {
  if (!tablePattern.test(table) || table === quarantineTable || table.startsWith("sqlite")) {
    throw new RangeError(`not a table name: ${table}`);
  }
}

function parseJson(text: string): { readonly value: unknown } | { readonly reason: string } {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return { reason: "not JSON" };
  }
}

function toJson(value: unknown): string {
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) throw new RangeError("a row's value must be JSON");
  return text;
}

function storeError(error: unknown, file: string): unknown {
  const cause = { cause: error };
  const words = error instanceof Error ? error.message : "";
  switch (sqliteCode(error)) {
    case "busy":
      return new TwinspoolError("folder-in-use", file, cause);
    case "corrupt":
      return new TwinspoolError("database-corrupt", `${file} (${words})`, cause);
    case "full":
      return new TwinspoolError("disk-full", file, cause);
    case "failed":
      return new TwinspoolError("disk-failed", `${file} (${words})`, cause);
    case undefined:
      return error;
  }
}
