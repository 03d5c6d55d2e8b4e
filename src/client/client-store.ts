import * as z from "zod";
import { clientIdSchema, clientSecretSchema, nonceSchema } from "../protocol/ids.ts";
import type { ClientProof } from "../runtime/client-proof.ts";
import { newClientId, newClientSecret, newNonce } from "../runtime/identity.ts";
import { historyIndex } from "../spool/history-table.ts";
import { type JobStore, openJobStore, openMemoryStore } from "../spool/job-store.ts";
import {
  type ClientSnapshot,
  clientJobRowSchema,
  clientMetaSchema,
  clientPrinterRowSchema,
  clientTables,
} from "./client-state.ts";

/** What the client has seen of the server's history. */
export const seenHistoryTables = { rows: "client_seen_history", meta: "client_seen_history_meta" } as const;

const identityTable = "client_identity";
const identitySchema = z.object({
  clientId: clientIdSchema,
  nonce: nonceSchema,
  secret: clientSecretSchema.optional(),
});
export type ClientIdentity = z.infer<typeof identitySchema> & ClientProof;

/**
 * Opens the client's rows and its identity, which lives as long as this folder. Without a file, for a client without a
 * disk, every life is a new client: ids of 72 random bits need nothing durable to be new.
 */
export function openClientStore(file: string | undefined): { store: JobStore; identity: ClientIdentity } {
  const tables = [...Object.values(clientTables), ...Object.values(seenHistoryTables), identityTable];
  const options = { indexes: [historyIndex(seenHistoryTables.rows)] };
  const store = file === undefined ? openMemoryStore(tables, options) : openJobStore(file, tables, options);
  const known = identitySchema.safeParse(store.get(identityTable, "identity")).data;
  const { clientId = newClientId(), nonce = newNonce(), secret = newClientSecret() } = known ?? {};
  const identity: ClientIdentity = { clientId, nonce, secret };
  if (known?.secret === undefined) {
    store.commit([{ op: "put", table: identityTable, key: "identity", value: identity }]);
  }
  return { store, identity };
}

export function loadClientSnapshot(store: JobStore): ClientSnapshot {
  return {
    meta: clientMetaSchema.safeParse(store.get(clientTables.meta, "meta")).data,
    jobs: store.loadChecked(clientTables.jobs, clientJobRowSchema).map((row) => row.value),
    printers: store.loadChecked(clientTables.printers, clientPrinterRowSchema).map((row) => row.value),
  };
}
