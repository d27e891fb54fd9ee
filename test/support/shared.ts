import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const candidate = fileURLToPath(new URL('../../../shared/', import.meta.url));

/** The folder of test inputs beside the checkout; tests that read it are skipped where it is absent. */
export const sharedDir: string | undefined = existsSync(`${candidate}ss-samples`) ? candidate : undefined;
export const sharedMissing = sharedDir === undefined ? 'needs the folder of shared test inputs' : undefined;
