import type { SimClock } from "../clock.ts";
import type { HostConnection, HostLink } from "./port.ts";

/** A host's end of a connection within the same process. */
export interface InProcessConnection {
  /** Sends bytes to the printer; resolves when the receive buffer has taken all of them, false when disconnected. */
  write(bytes: Uint8Array): Promise<boolean>;
  onData(listener: (bytes: Uint8Array) => void): void;
  /** The printer or the link has ended the connection; also called when it had before the listener came. */
  onClose(listener: () => void): void;
  readonly closed: boolean;
  close(): void;
}

/** Connects a host in this process. Answers arrive in later turns of the clock, never inside `write`. */
export function connectInProcess(clock: SimClock, attach: (link: HostLink) => HostConnection): InProcessConnection {
  let closed = false;
  let waiters: ((taken: boolean) => void)[] = [];
  const dataListeners: ((bytes: Uint8Array) => void)[] = [];
  const closeListeners: (() => void)[] = [];
  const early: Uint8Array[] = [];
  const settle = (taken: boolean): void => {
    const settled = waiters;
    waiters = [];
    for (const resolve of settled) resolve(taken);
  };
  const deliver = (bytes: Uint8Array): void => {
    if (dataListeners.length === 0) early.push(bytes);
    for (const listener of dataListeners) listener(bytes);
  };
  const end = (): void => {
    if (closed) return;
    closed = true;
    settle(false);
    clock.schedule(clock.nowMs(), () => {
      for (const listener of closeListeners) listener();
    });
  };
  const connection = attach({
    send: (bytes) => {
      if (closed) return false;
      clock.schedule(clock.nowMs(), () => {
        if (!closed) deliver(bytes);
      });
      return true;
    },
    drop: end,
    drained: () => settle(true),
  });
  return {
    write: (bytes) => {
      if (closed) return Promise.resolve(false);
      if (connection.receive(Uint8Array.from(bytes))) return Promise.resolve(true);
      return new Promise((resolve) => {
        waiters.push(resolve);
      });
    },
    onData: (listener) => {
      dataListeners.push(listener);
      for (const bytes of early.splice(0)) listener(bytes);
    },
    onClose: (listener) => {
      if (closed) clock.schedule(clock.nowMs(), listener);
      else closeListeners.push(listener);
    },
    get closed() {
      return closed;
    },
    close: () => {
      if (closed) return;
      closed = true;
      connection.closed();
      settle(false);
    },
  };
}
