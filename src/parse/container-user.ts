const LARGEST_UID = 2 ** 32 - 2;

const asUid = (digits: string | undefined): number | undefined => {
  const uid = digits === undefined || !/^\d{1,10}$/.test(digits) ? 0 : Number(digits);
  return uid > 0 && uid <= LARGEST_UID ? uid : undefined;
};

/**
 * The user whose runtime started a container without root: from the cgroup, as systemd names slices of users (`user-1000.slice`), else
 * the one that is root within, by /proc/PID/uid_map (lines of: first uid within, the same outside, how many). `undefined`: root, or it cannot be
 * told. Total.
 */
export function containerUser(cgroup: string, uidMap: string): number | undefined {
  const slice = asUid(/\/user-(\d+)\.slice\//.exec(cgroup)?.[1]);
  return slice ?? asUid(/^\s*0\s+(\d+)\s+\d+\s*$/m.exec(uidMap)?.[1]);
}

/** Home of a user in the text of /etc/passwd; `undefined` where it has none, or one that is no whole path. Total. */
export function homeOfUser(passwd: string, uid: number): string | undefined {
  for (const line of passwd.split('\n')) {
    const [name, , itsUid, , , home = ''] = line.split(':');
    if (name === '' || itsUid !== String(uid)) continue;
    return /^\/[^\0]+$/.test(home) && !home.split('/').includes('..') ? home : undefined;
  }
  return undefined;
}
