/** Rounded down, so that what is left is never said to be more than it is. */
export function inMebibytes(bytes: number): string {
  const mebibytes = bytes / (1024 * 1024);
  return mebibytes >= 10 ? `${Math.floor(mebibytes)} MiB` : `${Math.floor(mebibytes * 10) / 10} MiB`;
}
