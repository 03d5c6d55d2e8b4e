import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import type { Evidence, HistoryRow, Row } from "./checker.ts";
import { type LedgerEntry, readLedger } from "./ledger-reader.ts";
import { type Copy, readTickets } from "./ticket.ts";

/** Where the processes of one shop keep what they keep. */
export interface Places {
  readonly paper: string;
  readonly server: string;
  readonly client: string;
  readonly ledger: string;
}

/** Reads paper, ledger, databases and spools with eyes of its own: nothing here comes from the product. */
export class Witness {
  readonly #places: Places;
  /** A piece of paper never changes. */
  readonly #read = new Map<string, readonly Copy[]>();

  constructor(places: Places) {
    this.#places = places;
  }

  look(): Evidence {
    const { server, client } = this.#places;
    return {
      copies: this.#copies(),
      ledger: this.ledger(),
      history: readTable(join(server, "server.db"), "history").map(toHistoryRow),
      serverRows: readTable(join(server, "server.db"), "server_jobs").map(toRow),
      clientRows: readTable(join(client, "client.db"), "client_jobs").map(toRow),
      serverFiles: filesOf(join(server, "images")),
      clientFiles: [...filesOf(join(client, "images")), ...filesOf(join(client, "handover"))],
    };
  }

  ledger(): LedgerEntry[] {
    return existsSync(this.#places.ledger) ? readLedger(readFileSync(this.#places.ledger)) : [];
  }

  #copies(): Copy[] {
    const { paper } = this.#places;
    if (!existsSync(paper)) return [];
    const names = readdirSync(paper).filter((name) => /^(ticket-\d+|uncut)\.png$/.test(name));
    return names.sort().flatMap((name) => {
      const known = this.#read.get(name) ?? readTickets(readFileSync(join(paper, name)));
      if (name !== "uncut.png") this.#read.set(name, known);
      return known;
    });
  }
}

/** Nothing but images, and what is quarantined because nobody knew it. */
function filesOf(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).filter((name) => name !== "quarantine") : [];
}

/**
 * The JSON values of a table. The process keeps its database locked: a copy of the file and of its write-ahead log is
 * what a power cut at this moment would leave.
 */
function readTable(file: string, table: string): unknown[] {
  if (!existsSync(file)) return [];
  const folder = mkdtempSync(join(tmpdir(), "twinspool-witness-"));
  try {
    const copy = join(folder, basename(file));
    for (const ending of ["", "-wal"]) if (existsSync(file + ending)) copyFileSync(file + ending, copy + ending);
    const database = new DatabaseSync(copy);
    try {
      const rows = database.prepare(`SELECT value FROM "${table}" ORDER BY key`).all() as { readonly value: string }[];
      return rows.map((row) => JSON.parse(row.value) as unknown);
    } finally {
      database.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function toRow(value: unknown): Row {
  const { ticket } = value as { readonly ticket: Row };
  return { jobId: ticket.jobId, title: ticket.title };
}

function toHistoryRow(value: unknown): HistoryRow {
  const { jobId, title, outcome } = value as Row & { readonly outcome: { readonly outcome: string } };
  return { jobId, title, outcome: outcome.outcome };
}
