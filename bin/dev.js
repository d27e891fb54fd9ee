#!/usr/bin/env -S node --import tsx
// Runs the TypeScript directly: no build between a change and a try.
import { execute } from '@oclif/core';

await execute({ development: true, dir: import.meta.url });
