import * as Args from '@oclif/core/args';
import { UsageError } from './usage.js';

/** For commands without arguments: else oclif takes `pools extra` for the name of a command, and says only that it was not found. */
export const surplusArgs = { surplus: Args.string({ hidden: true, ignoreStdin: true }) };

/** Throws UsageError. */
export function refuseSurplus({ surplus }: { readonly surplus?: string | undefined }): void {
  if (surplus !== undefined) throw new UsageError(`unexpected argument ${JSON.stringify(surplus)}`);
}
