import type { Engine } from "../engine.ts";
import { type CommandRow, CommandTable } from "../parser.ts";
import { BARCODE_COMMANDS } from "./barcode.ts";
import { CONTROL_COMMANDS } from "./control.ts";
import { FEED_COMMANDS } from "./feed.ts";
import { IMAGE_COMMANDS } from "./image.ts";
import { KANJI_COMMANDS } from "./kanji.ts";
import { PAGE_COMMANDS } from "./page.ts";
import { POSITION_COMMANDS } from "./position.ts";
import { REAL_TIME_COMMANDS } from "./real-time.ts";
import { STATUS_COMMANDS } from "./status.ts";
import { SYMBOL_COMMANDS } from "./symbol.ts";
import { TEXT_COMMANDS } from "./text.ts";
import { TEXT_STYLE_COMMANDS } from "./text-style.ts";
import { unsupportedCommands } from "./unsupported.ts";
import { USER_GLYPH_COMMANDS } from "./user-glyphs.ts";

export const CARRIED_OUT: readonly CommandRow<Engine>[] = [
  ...BARCODE_COMMANDS,
  ...CONTROL_COMMANDS,
  ...FEED_COMMANDS,
  ...IMAGE_COMMANDS,
  ...KANJI_COMMANDS,
  ...PAGE_COMMANDS,
  ...POSITION_COMMANDS,
  ...REAL_TIME_COMMANDS,
  ...STATUS_COMMANDS,
  ...SYMBOL_COMMANDS,
  ...TEXT_COMMANDS,
  ...TEXT_STYLE_COMMANDS,
  ...USER_GLYPH_COMMANDS,
];

/** Every command the simulator knows, by prefix. */
export const COMMAND_TABLE: CommandTable<Engine> = new CommandTable<Engine>([
  ...CARRIED_OUT,
  ...unsupportedCommands(CARRIED_OUT),
]);
