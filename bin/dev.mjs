#!/usr/bin/env -S node --import tsx
// Runs the TypeScript directly: no build between a change and a try.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { execute } from '@oclif/core';

const root = fileURLToPath(new URL('..', import.meta.url));
const pjson = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
pjson.oclif.commands = './src/commands';
await execute({
  development: true,
  dir: import.meta.url,
  loadOptions: { root, pjson, ignoreManifest: true },
});
