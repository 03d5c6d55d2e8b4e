import type { Engine } from "../engine.ts";
import { type CommandRow, CommandTable } from "../parser.ts";
import { BARCODE_COMMANDS } from "./barcode.ts";
import { BLOCK_COMMANDS } from "./blocks.ts";
import { BUZZER_COMMANDS } from "./buzzer.ts";
import { CONTROL_COMMANDS } from "./control.ts";
import { FEED_COMMANDS } from "./feed.ts";
import { GRAPHICS_COMMANDS } from "./graphics.ts";
import { IMAGE_COMMANDS } from "./image.ts";
import { KANJI_COMMANDS } from "./kanji.ts";
import { LOGO_COMMANDS } from "./logo.ts";
import { MACRO_COMMANDS } from "./macro.ts";
import { PAGE_COMMANDS } from "./page.ts";
import { POSITION_COMMANDS } from "./position.ts";
import { REAL_TIME_COMMANDS } from "./real-time.ts";
import { SETTING_COMMANDS } from "./settings.ts";
import { STATUS_COMMANDS } from "./status.ts";
import { STORED_IMAGE_COMMANDS } from "./stored-image.ts";
import { SYMBOL_COMMANDS } from "./symbol.ts";
import { TEXT_COMMANDS } from "./text.ts";
import { TEXT_STYLE_COMMANDS } from "./text-style.ts";
import { unsupportedCommands } from "./unsupported.ts";
import { USER_GLYPH_COMMANDS } from "./user-glyphs.ts";

export const CARRIED_OUT: readonly CommandRow<Engine>[] = [
  ...BARCODE_COMMANDS,
  ...BLOCK_COMMANDS,
  ...BUZZER_COMMANDS,
  ...CONTROL_COMMANDS,
  ...FEED_COMMANDS,
  ...GRAPHICS_COMMANDS,
  ...IMAGE_COMMANDS,
  ...KANJI_COMMANDS,
  ...LOGO_COMMANDS,
  ...MACRO_COMMANDS,
  ...PAGE_COMMANDS,
  ...POSITION_COMMANDS,
  ...SETTING_COMMANDS,
  ...REAL_TIME_COMMANDS,
  ...STATUS_COMMANDS,
  ...STORED_IMAGE_COMMANDS,
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
