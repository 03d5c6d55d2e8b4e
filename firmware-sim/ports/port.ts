/** What the printer needs of one host connection. */
export interface HostLink {
  /** Sends bytes to the host; false when the host can no longer be reached. */
  send(bytes: Uint8Array): boolean;
  /** Ends the connection at once. */
  drop(): void;
  /** Everything handed in so far is in the receive buffer; more may come. */
  drained(): void;
  /** BUSY has changed: how the host learns of it (XOFF, DTR) is the line's affair. Lines without it leave it out. */
  readonly busy?: (busy: boolean) => void;
  /** What finds no room in the receive buffer is lost; otherwise it waits at the host. */
  readonly losesOverflow?: boolean;
  /** How long a byte to the host is under way. Lines as fast as the printer leave it out. */
  readonly msPerByte?: number;
}

/** What a port may do with its connection. */
export interface HostConnection {
  /** Hands received bytes in; false when some of them wait for room (then `drained` follows). */
  receive(bytes: Uint8Array): boolean;
  /** The host has gone; what it sent before still prints. */
  closed(): void;
}
