/** Geometry of one page (ticket) of a print image. One bit a dot, rows of ceil(widthDots/8) bytes, MSB leftmost, 1 = black. */
export interface PageGeometry {
  readonly widthDots: number;
  readonly heightDots: number;
  readonly resolutionDpi: number;
}

/** A page that is read row by row; `rows` yields exactly `heightDots` rows and may be read once. */
export interface ImagePage extends PageGeometry {
  readonly rows: AsyncIterable<Uint8Array>;
}

/** A page of an image that is wholly in memory. */
export interface MemoryPage extends PageGeometry {
  readonly rows: Iterable<Uint8Array>;
}

/** What a document becomes an image for. */
export interface RenderTarget {
  readonly widthDots: number;
  readonly resolutionDpi: number;
  /** Decides what raw printer commands mean where models differ. */
  readonly model?: string;
}

export function bytesPerRow(widthDots: number): number {
  return (widthDots + 7) >> 3;
}
