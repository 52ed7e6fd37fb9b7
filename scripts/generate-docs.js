// Writes the files that are made from others; unit tests fail when one of them is out of date. Run `npm run docs:generate`.
const { readFileSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { envExample } = require('../dist/config/env-example');
const { errorsPage } = require('../dist/core/errors-page');
const { presetsPage } = require('../dist/presets/presets-page');

const root = join(__dirname, '..');
writeFileSync(join(root, '.env.example'), envExample(readFileSync(join(root, 'config', 'default.yaml'), 'utf8')));
writeFileSync(join(root, 'docs', 'errors.md'), errorsPage());
writeFileSync(join(root, 'docs', 'presets.md'), presetsPage());
