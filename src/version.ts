import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Of package.json, which lies beside `src` as well as beside `dist`. */
export const VERSION = (JSON.parse(readFileSync(join(__dirname, '..', 'package.json'), 'utf8')) as { version: string }).version;
