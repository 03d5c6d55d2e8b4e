/** What the sensors say. */
export interface Conditions {
  readonly coverOpen: boolean;
  readonly paperEnd: boolean;
  readonly paperNearEnd: boolean;
  readonly cutterError: boolean;
  /** Paper jam and the like: recoverable by DLE ENQ. */
  readonly mechanicalError: boolean;
  /** Only switching off and on helps. */
  readonly unrecoverableError: boolean;
  /** The head is too hot: recovers by itself. */
  readonly headHot: boolean;
  readonly drawerPinHigh: boolean;
  /** The feed button moves the paper. */
  readonly feeding: boolean;
  /** ESC c 4: printing has stopped because the paper is near its end. */
  readonly nearEndStop: boolean;
  /** GS ^ m = 1: the macro waits for the feed button. */
  readonly waitingForButton: boolean;
}

export const ALL_WELL: Conditions = {
  coverOpen: false,
  paperEnd: false,
  paperNearEnd: false,
  cutterError: false,
  mechanicalError: false,
  unrecoverableError: false,
  headHot: false,
  drawerPinHigh: false,
  feeding: false,
  nearEndStop: false,
  waitingForButton: false,
};

/** Something is wrong that is more than missing paper or an open cover. */
export function isError(conditions: Conditions): boolean {
  const { cutterError, mechanicalError, unrecoverableError, headHot } = conditions;
  return cutterError || mechanicalError || unrecoverableError || headHot;
}

/** Nothing may move. */
export function isStopped(conditions: Conditions): boolean {
  return conditions.coverOpen || conditions.paperEnd || conditions.nearEndStop || isError(conditions);
}

export function isOffline(conditions: Conditions): boolean {
  return isStopped(conditions) || conditions.feeding || conditions.waitingForButton;
}

function flag(on: boolean, bits: number): number {
  return on ? bits : 0;
}

/** The answer to DLE EOT n (n = 1-4): always of the form 0xx1xx10. */
export function realTimeStatus(n: number, conditions: Conditions): number {
  const { coverOpen, paperEnd, paperNearEnd, nearEndStop, drawerPinHigh, feeding, waitingForButton } = conditions;
  const offline = flag(isOffline(conditions), 0x08);
  const stopped = flag(paperEnd || nearEndStop, 0x20);
  switch (n) {
    case 1:
      return 0x12 | flag(drawerPinHigh, 0x04) | offline | flag(waitingForButton, 0x20) | flag(feeding, 0x40);
    case 2:
      return 0x12 | flag(coverOpen, 0x04) | flag(feeding, 0x08) | stopped | flag(isError(conditions), 0x40);
    case 3:
      return 0x12 | errorFlags(conditions);
    default:
      return 0x12 | flag(paperNearEnd || paperEnd, 0x0c) | flag(paperEnd, 0x60);
  }
}

/** The same bits in DLE EOT 3 and in the second byte of ASB. */
function errorFlags(conditions: Conditions): number {
  const { cutterError, mechanicalError, unrecoverableError, headHot } = conditions;
  return flag(mechanicalError, 0x04) | flag(cutterError, 0x08) | flag(unrecoverableError, 0x20) | flag(headHot, 0x40);
}

/** The four bytes of automatic status back (GS a). */
export function automaticStatus(conditions: Conditions): readonly [number, number, number, number] {
  const { coverOpen, paperEnd, paperNearEnd, drawerPinHigh, feeding } = conditions;
  return [
    0x10 | flag(drawerPinHigh, 0x04) | flag(isOffline(conditions), 0x08) | flag(coverOpen, 0x20) | flag(feeding, 0x40),
    errorFlags(conditions) | flag(conditions.waitingForButton, 0x01),
    flag(paperNearEnd || paperEnd, 0x03) | flag(paperEnd, 0x0c),
    0x00,
  ];
}

/** Faults that are nothing but what a sensor says. */
export const SENSED_FAULTS = {
  "paper-near-end": { paperNearEnd: true },
  "cover-open": { coverOpen: true },
  "cover-closed": { coverOpen: false },
  "unrecoverable-error": { unrecoverableError: true },
  "drawer-opened": { drawerPinHigh: true },
  "drawer-closed": { drawerPinHigh: false },
} as const satisfies Readonly<Record<string, Partial<Conditions>>>;

/** True when a change touches one of the groups that GS a n selected. */
export function isReported(n: number, before: Conditions, after: Conditions): boolean {
  if ((n & 0x01) !== 0 && before.drawerPinHigh !== after.drawerPinHigh) return true;
  // A change of the cover belongs to the online/offline group: it is what puts the printer offline.
  if ((n & 0x02) !== 0 && (isOffline(before) !== isOffline(after) || before.coverOpen !== after.coverOpen)) return true;
  if ((n & 0x04) !== 0 && errorFlags(before) !== errorFlags(after)) return true;
  if ((n & 0x40) !== 0 && before.feeding !== after.feeding) return true;
  return (n & 0x08) !== 0 && (before.paperEnd !== after.paperEnd || before.paperNearEnd !== after.paperNearEnd);
}

/** The answer to GS r 1: near-end and end sensor. */
export function paperSensorStatus(conditions: Conditions): number {
  return flag(conditions.paperNearEnd || conditions.paperEnd, 0x03) | flag(conditions.paperEnd, 0x0c);
}
