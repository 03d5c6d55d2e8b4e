/** Bytes to and from a device (design §6). One open link at a time; after it closed, `open` makes the next. */
export interface Transport {
  /** Rejects with a TwinspoolError that says in a sentence why the device cannot be reached. */
  open(events: TransportEvents): Promise<void>;
  /** Resolves when the transport has accepted the bytes and is ready for more; that paces the sender. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends the link, or the attempt to open one, at once; `onClose` is not called for it. */
  close(): Promise<void>;
  /** Gives back what outlives links; the transport is not used afterwards. */
  dispose?(): Promise<void>;
}

export interface TransportEvents {
  readonly onData: (bytes: Uint8Array) => void;
  /** The link ended without `close`; once per link. */
  readonly onClose: (reason: string) => void;
}
