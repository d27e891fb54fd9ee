/** One value of a configuration file, and where it stands: `/etc/sockwatch/config.yaml:12: check.every`. */
export interface Setting {
  readonly where: string;
  readonly value: string | readonly string[] | Section;
}

/** Settings by name. */
export type Section = ReadonlyMap<string, Setting>;
