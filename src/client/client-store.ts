import * as z from "zod";
import { clientIdSchema, nonceSchema } from "../protocol/ids.ts";
import { newClientId, newNonce } from "../runtime/identity.ts";
import { type JobStore, openJobStore } from "../spool/job-store.ts";
import {
  type ClientSnapshot,
  clientJobRowSchema,
  clientMetaSchema,
  clientPrinterRowSchema,
  clientTables,
} from "./client-state.ts";

const identityTable = "client_identity";
const identitySchema = z.object({ clientId: clientIdSchema, nonce: nonceSchema });
export type ClientIdentity = z.infer<typeof identitySchema>;

/** Opens the client's rows and its identity, which lives as long as this folder. */
export function openClientStore(file: string): { store: JobStore; identity: ClientIdentity } {
  const store = openJobStore(file, [...Object.values(clientTables), identityTable]);
  const known = identitySchema.safeParse(store.get(identityTable, "identity")).data;
  if (known !== undefined) return { store, identity: known };
  const identity: ClientIdentity = { clientId: newClientId(), nonce: newNonce() };
  store.commit([{ op: "put", table: identityTable, key: "identity", value: identity }]);
  return { store, identity };
}

export function loadClientSnapshot(store: JobStore): ClientSnapshot {
  return {
    meta: clientMetaSchema.safeParse(store.get(clientTables.meta, "meta")).data,
    jobs: store.loadChecked(clientTables.jobs, clientJobRowSchema).map((row) => row.value),
    printers: store.loadChecked(clientTables.printers, clientPrinterRowSchema).map((row) => row.value),
  };
}
