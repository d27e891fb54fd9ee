// The least that a CLI of oclif can be: what `check` is compared with.
import { execute } from '@oclif/core';

await execute({ dir: import.meta.url });
