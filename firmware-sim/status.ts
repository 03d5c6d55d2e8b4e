/** What the sensors say. */
export interface Conditions {
  readonly coverOpen: boolean;
  readonly paperEnd: boolean;
  readonly paperNearEnd: boolean;
  readonly cutterError: boolean;
  readonly drawerPinHigh: boolean;
}

export const ALL_WELL: Conditions = {
  coverOpen: false,
  paperEnd: false,
  paperNearEnd: false,
  cutterError: false,
  drawerPinHigh: false,
};

export function isOffline(conditions: Conditions): boolean {
  return conditions.coverOpen || conditions.paperEnd || conditions.cutterError;
}

function flag(on: boolean, bits: number): number {
  return on ? bits : 0;
}

/** The answer to DLE EOT n (n = 1-4): always of the form 0xx1xx10. */
export function realTimeStatus(n: number, conditions: Conditions): number {
  const { coverOpen, paperEnd, paperNearEnd, cutterError, drawerPinHigh } = conditions;
  switch (n) {
    case 1:
      return 0x12 | flag(drawerPinHigh, 0x04) | flag(isOffline(conditions), 0x08);
    case 2:
      return 0x12 | flag(coverOpen, 0x04) | flag(paperEnd, 0x20) | flag(cutterError, 0x40);
    case 3:
      return 0x12 | flag(cutterError, 0x08);
    default:
      return 0x12 | flag(paperNearEnd || paperEnd, 0x0c) | flag(paperEnd, 0x60);
  }
}

/** The four bytes of automatic status back (GS a). */
export function automaticStatus(conditions: Conditions): readonly [number, number, number, number] {
  const { coverOpen, paperEnd, paperNearEnd, cutterError, drawerPinHigh } = conditions;
  return [
    0x10 | flag(drawerPinHigh, 0x04) | flag(isOffline(conditions), 0x08) | flag(coverOpen, 0x20),
    flag(cutterError, 0x08),
    flag(paperNearEnd || paperEnd, 0x03) | flag(paperEnd, 0x0c),
    0x00,
  ];
}

/** True when a change touches one of the groups that GS a n selected. */
export function isReported(n: number, before: Conditions, after: Conditions): boolean {
  if ((n & 0x01) !== 0 && before.drawerPinHigh !== after.drawerPinHigh) return true;
  // A change of the cover belongs to the online/offline group: it is what puts the printer offline.
  if ((n & 0x02) !== 0 && (isOffline(before) !== isOffline(after) || before.coverOpen !== after.coverOpen)) return true;
  if ((n & 0x04) !== 0 && before.cutterError !== after.cutterError) return true;
  return (n & 0x08) !== 0 && (before.paperEnd !== after.paperEnd || before.paperNearEnd !== after.paperNearEnd);
}

/** The answer to GS r 1: near-end and end sensor. */
export function paperSensorStatus(conditions: Conditions): number {
  return flag(conditions.paperNearEnd || conditions.paperEnd, 0x03) | flag(conditions.paperEnd, 0x0c);
}
