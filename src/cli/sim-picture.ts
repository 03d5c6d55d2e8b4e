import { type Page, pageToBraille, pageToHalfBlocks, pageToPng } from "../../firmware-sim/mod.ts";
import type { Io } from "./io.ts";

/** How a ticket is shown: as a picture where the terminal has pictures, made of characters elsewhere. */
export type PictureKind = "kitty" | "iterm2" | "braille" | "half-blocks";

/** Terminals refuse pictures beyond (kitty graphics protocol: 10000 pixels). */
const MOST_PICTURE_ROWS = 10_000;
/** Base64 characters of one escape sequence (kitty graphics protocol: 4096). */
const KITTY_CHUNK = 4096;
const ESCAPE = "\u001b";

/** What the terminal says of itself. A multiplexer in between passes pictures on only when it is told to. */
export function pictureKind({ stdout, env }: Io): PictureKind {
  const { TERM: term = "", TERM_PROGRAM: program = "", KITTY_WINDOW_ID: kitty, TMUX: tmux } = env;
  if (stdout.isTerminal && tmux === undefined && !/^(screen|tmux)/.test(term)) {
    if (kitty !== undefined || term === "xterm-kitty" || term === "xterm-ghostty") return "kitty";
    if (program === "iTerm.app" || program === "WezTerm") return "iterm2";
  }
  // The console of Linux has no Braille in its fonts.
  return term === "linux" ? "half-blocks" : "braille";
}

/** A ticket for this terminal, with the end of its last line. */
export function drawTicket(page: Page, io: Io): string {
  const kind = pictureKind(io);
  const isPicture = page.heightDots > 0 && page.heightDots <= MOST_PICTURE_ROWS;
  if (kind === "kitty" && isPicture) return kittyPicture(page, io);
  if (kind === "iterm2" && isPicture) return iterm2Picture(page, io);
  const columns = pictureColumns(io);
  const lines = kind === "half-blocks" ? pageToHalfBlocks(page, columns) : pageToBraille(page, columns);
  const { NO_COLOR: noColour = "" } = io.env;
  const isPlain = !io.stdout.isTerminal || noColour !== "";
  return lines.map((line) => `${isPlain ? line : onPaper(line, columns)}\n`).join("");
}

/** As wide as the terminal: the more columns, the more of the letters can be read. */
function pictureColumns(io: Io): number {
  return Math.max(16, (io.stdout.columns ?? 73) - 1);
}

/** Black on white, whatever the terminal's own colours are; they are back at the end of the line. */
function onPaper(line: string, columns: number): string {
  return `${ESCAPE}[30;107m${line.padEnd(columns)}${ESCAPE}[0m`;
}

function kittyPicture(page: Page, io: Io): string {
  const data = Buffer.from(pageToPng(page)).toString("base64");
  const pieces = data.match(new RegExp(`.{1,${KITTY_CHUNK}}`, "g")) ?? [];
  const sequences = pieces.map((piece, index) => {
    const more = `m=${index < pieces.length - 1 ? 1 : 0}`;
    // a=T shows at once, f=100 is PNG, q=2 keeps the terminal from answering into what is typed.
    const control = index === 0 ? `a=T,f=100,q=2,${widthOf(page, io, "c=")}${more}` : more;
    return `${ESCAPE}_G${control};${piece}${ESCAPE}\\`;
  });
  return `${sequences.join("")}\n`;
}

function iterm2Picture(page: Page, io: Io): string {
  const png = Buffer.from(pageToPng(page));
  const control = `inline=1;${widthOf(page, io, "width=").replace(",", ";")}size=${png.length}`;
  return `${ESCAPE}]1337;File=${control}:${png.toString("base64")}\u0007\n`;
}

/** Narrow terminals get the picture smaller; a column has some eight pixels. */
function widthOf(page: Page, io: Io, name: string): string {
  const columns = pictureColumns(io);
  return page.widthDots > columns * 8 ? `${name}${columns},` : "";
}
