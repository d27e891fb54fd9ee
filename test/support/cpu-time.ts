/**
 * Processor time that this process has used, ms. What it takes is measured by it where a test has a bound: the clock would count the
 * time of other processes on the same processors too.
 */
export function cpuMillis(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
