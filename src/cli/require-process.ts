import { defaultDoor } from '../collect/options.js';
import { readText } from '../collect/small-files.js';
import { SockwatchError } from '../model/errors.js';

/** Of a process that is none nothing can be found, which must not read as good news. Throws where it does not run. */
export function requireProcess(pid: number | undefined): void {
  if (pid === undefined || readText(`${defaultDoor().proc}/${pid}/stat`) !== undefined) return;
  throw new SockwatchError(`there is no process ${pid}`, 'give the pid of one that runs');
}
