/** What HikariCP says of itself in its log. Connections, and `waiting`: threads that wait for one. */
export interface HikariStats {
  /** Name of the pool, as `HikariPool-1`: chosen by the application, hostile. */
  readonly name: string;
  readonly total: number;
  readonly active: number;
  readonly idle: number;
  readonly waiting: number;
  /** maximumPoolSize, which newer versions print. */
  readonly maximum?: number;
  /** minimumIdle, which newer versions print. */
  readonly minimumIdle?: number;
  /** Wall clock, ms: when the line was written, or at the latest; a stamp without a zone is read as local time. */
  readonly time?: number;
}
