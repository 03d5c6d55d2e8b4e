interface BusyTraits {
  readonly bufferBytes: number;
  readonly busyAtFreeBytes: number;
  readonly readyAtFreeBytes: number;
  readonly busyWhenOffline: boolean;
}

/** BUSY: the receive buffer is nearly full, with hysteresis, or (by a switch) the printer is offline. */
export class BusySignal {
  private readonly busyAtFreeBytes: number;
  private readonly readyAtFreeBytes: number;
  private readonly busyWhenOffline: boolean;
  private full = false;
  private offline = false;

  constructor(traits: BusyTraits) {
    // A buffer that is smaller than the marks must still become ready when it is empty.
    this.readyAtFreeBytes = Math.min(traits.readyAtFreeBytes, traits.bufferBytes);
    this.busyAtFreeBytes = Math.min(traits.busyAtFreeBytes, this.readyAtFreeBytes - 1);
    this.busyWhenOffline = traits.busyWhenOffline;
  }

  get isBusy(): boolean {
    return this.full || this.offline;
  }

  /** True when the signal has changed. */
  update(freeBytes: number, isOffline: boolean): boolean {
    const before = this.isBusy;
    if (freeBytes <= this.busyAtFreeBytes) this.full = true;
    else if (freeBytes >= this.readyAtFreeBytes) this.full = false;
    this.offline = this.busyWhenOffline && isOffline;
    return this.isBusy !== before;
  }
}
