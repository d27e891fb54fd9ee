import { SOURCE_FAULTS, SourceError } from '../model/errors.js';
import type { Namespace } from '../model/namespace.js';
import type {
  GapObservation,
  NamespacesObservation,
  Origin,
  TableObservation,
} from '../model/observation.js';
import type { Source } from '../model/sockets.js';
import type { SocketTable } from '../model/table.js';
import { millis } from '../model/units.js';
import type { Followed } from './followed.js';
import type { Looked } from './look.js';
import { Looker, named } from './look.js';
import type { LookKind } from './look-plan.js';
import type { FoundNamespace, FoundNamespaces } from './namespaces.js';
import { DumpHelper } from './netlink-helper.js';
import { NamespaceError } from './netns-enter.js';
import type { CollectOptions, Door } from './options.js';
import { inodeOf, originMaker } from './origin.js';
import { OwnerSight, type OwnerWish } from './owner-sight.js';
import { asMissing, closedGaps, ended, missingGap, noneThere, type Unread } from './unread-namespaces.js';

/** Programs at once, where namespaces are read by programs: one after the other they take 10 ms each and more. */
const PROGRAMS_AT_ONCE = 4;

interface Member {
  readonly found: FoundNamespace;
  readonly looker: Looker;
  /** The source that gave the last look. */
  lastSource: Source;
}

const isUnread = (look: MemberLook): look is Unread => look.kind === 'closed' || look.kind === 'gone';
type MemberLook = TableObservation | GapObservation | Unread;

/** Looks into every network namespace that a finder finds and that can be entered, and follows those that come and go. */
export class ManyLooker {
  private readonly helper = new DumpHelper();
  private readonly owners: OwnerSight | undefined;
  private members = new Map<string, Member>();
  /** For the next look. */
  private found: FoundNamespaces | undefined;
  readonly originNow: (source: Source) => Origin;

  constructor(
    private readonly options: CollectOptions,
    private readonly door: Door,
    private readonly finder: { find(): FoundNamespaces },
  ) {
    this.owners = options.owners ? new OwnerSight(door) : undefined;
    this.originNow = originMaker(door.proc);
  }

  get hasTrouble(): boolean {
    return this.some(({ hasTrouble }) => hasTrouble);
  }

  /** A part can be had of one that gives parts; the others are read whole with it. */
  get givesParts(): boolean {
    return this.members.size === 0 || this.some(({ givesParts }) => givesParts);
  }

  /** Of all of them; `undefined` before the first look. */
  countSockets(): number | undefined {
    if (this.members.size === 0) return undefined;
    return [...this.members.values()].reduce((sum, { looker }) => sum + (looker.countSockets() ?? 0), 0);
  }

  find(): readonly Followed[] {
    this.found = this.finder.find();
    const own = inodeOf(`${this.door.proc}/self/ns/net`);
    return this.found.found.map(({ place, mark }) =>
      place.id === own ? { id: place.id } : { id: place.id, place, mark },
    );
  }

  async look(
    kind: LookKind | 'twice',
    wish: OwnerWish,
    signal?: AbortSignal,
  ): Promise<Looked<NamespacesObservation>> {
    if (wish.patienceMs === Number.POSITIVE_INFINITY) this.owners?.begin(signal);
    const started = performance.now();
    const cpu = process.cpuUsage();
    const { found, hiddenProcesses, sight, others, ...asked } = this.found ?? this.finder.find();
    this.found = undefined;
    this.follow(found);
    const all = await this.withoutEnded(await this.readAll(kind, signal), kind, signal);
    const tookMs = performance.now() - started;
    const { user, system } = process.cpuUsage(cpu);
    const looks = all.filter((look) => look.kind === 'table' || look.kind === 'gap');
    const unread = all.filter(isUnread);
    // Of all, those that may not be entered are counted; one that was asked for is named.
    const missing = asked.missing && [...asked.missing, ...unread.map(asMissing)];
    const closed = missing === undefined ? unread.filter(({ kind }) => kind === 'closed') : [];
    const tables = looks.filter((look) => look.kind === 'table');
    // A source that reads none of them is a source that failed: a look at nothing is no look.
    const [fault] = tables.length === 0 ? looks.filter((look) => look.kind === 'gap') : [];
    if (fault !== undefined) throw asError(fault);
    if (tables.length === 0 && missing?.[0] !== undefined) throw noneThere(missing[0], missing);
    const gaps =
      (await this.owners?.find(
        tables.map(({ sockets }) => sockets),
        wish,
        (table) => this.readAgain(table, signal),
        signal,
      )) ?? [];
    const observation: NamespacesObservation = {
      kind: 'namespaces',
      origin: this.originNow(this.sourceOf(tables)),
      looks: looks.map((look) => this.withOwners(look)),
      unread: unread.map(({ namespace }) => namespace),
      closed: closed.map(({ namespace }) => namespace),
      hiddenProcesses,
      ...(sight !== undefined && { sight }),
      ...(missing !== undefined && { missing }),
      ...(others !== undefined && { others }),
      tookMs: millis(tookMs),
      skippedTicks: 0,
      gaps: [
        ...gaps,
        ...(missing ?? []).map(missingGap),
        ...closedGaps(closed.length, hiddenProcesses, this.options.source === 'proc'),
      ],
    };
    return { observation, costMs: tookMs + (user + system) / 1000 };
  }

  /** Lookers last as long as their namespace: those of others are made and forgotten here. */
  private follow(found: readonly FoundNamespace[]): void {
    const own = inodeOf(`${this.door.proc}/self/ns/net`);
    this.members = new Map(
      found.map((one) => {
        const { id } = one.namespace;
        const known = this.members.get(id);
        return [id, known?.found === one ? known : this.take(one, known, id === own)] as const;
      }),
    );
  }

  /** Who lives there may change while the place stays: its looker knows what was there before. */
  private take(found: FoundNamespace, known: Member | undefined, isOwn: boolean): Member {
    return known !== undefined && isSamePlace(known.found, found)
      ? { ...known, found }
      : this.join(found, isOwn);
  }

  private join(found: FoundNamespace, isOwn: boolean): Member {
    const { namespace, place, pid } = found;
    const options = { ...this.options, owners: false };
    const inside = { namespace, place, pid, helper: this.helper };
    return {
      found,
      looker: new Looker(options, this.door, isOwn ? undefined : inside),
      lastSource: 'netlink',
    };
  }

  private async readAll(kind: LookKind | 'twice', signal: AbortSignal | undefined): Promise<MemberLook[]> {
    const waiting = [...this.members.values()].entries();
    const looks: MemberLook[] = [];
    const work = async () => {
      for (const [at, member] of waiting) looks[at] = await this.readOne(member, kind, signal);
    };
    // sock_diag is asked by one thread, one namespace after the other.
    const usesPrograms = [...this.members.values()].some(({ lastSource }) => lastSource === 'ss');
    const atOnce = usesPrograms || this.options.source === 'ss' ? PROGRAMS_AT_ONCE : 1;
    await Promise.all(Array.from({ length: atOnce }, work));
    return looks;
  }

  /** What could not be read may have ended meanwhile, which is no fault; or its process has, and it has another one. */
  private async withoutEnded(
    looks: MemberLook[],
    kind: LookKind | 'twice',
    signal: AbortSignal | undefined,
  ): Promise<MemberLook[]> {
    if (looks.every((look) => look.kind === 'table' || look.kind === 'closed')) return looks;
    const { found } = this.finder.find();
    const now = new Map(found.map((one) => [one.namespace.id, one]));
    const members = [...this.members.values()];
    const mended = members.map(async (member, at): Promise<MemberLook> => {
      const look = looks[at];
      if (look === undefined || look.kind === 'table' || look.kind === 'closed') return look as MemberLook;
      const { namespace } = member.found;
      const there = now.get(namespace.id);
      if (there === undefined || there.mark !== member.found.mark) return ended(member.found);
      if (isSamePlace(there, member.found)) return look;
      const again = this.join(there, false);
      this.members.set(namespace.id, again);
      return this.readOne(again, kind, signal);
    });
    return Promise.all(mended);
  }

  private async readOne(
    member: Member,
    asked: LookKind | 'twice',
    signal: AbortSignal | undefined,
  ): Promise<MemberLook> {
    const { looker, found } = member;
    const { namespace } = found;
    const kind = asked === 'ports' && !looker.hasTrouble ? 'listeners' : asked;
    try {
      const { observation } = await looker.read(kind, false, signal);
      member.lastSource = observation.origin.source;
      return named(observation, namespace);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof NamespaceError && error.fault === 'missing')
        return { kind: 'gone', namespace, error };
      if (error instanceof NamespaceError && error.fault === 'permission')
        return { kind: 'closed', namespace, error };
      return faultOf(error, looker.originNow(member.lastSource), namespace);
    }
  }

  private async readAgain(
    table: SocketTable,
    signal: AbortSignal | undefined,
  ): Promise<SocketTable | undefined> {
    const id = table.namespaceAt(0)?.id;
    return id === undefined ? undefined : await this.members.get(id)?.looker.readAgain(signal);
  }

  private withOwners(look: TableObservation | GapObservation): TableObservation | GapObservation {
    if (look.kind === 'gap' || this.owners === undefined) return look;
    return { ...look, ...this.owners.factsOf(look.sockets) };
  }

  private sourceOf(tables: readonly TableObservation[]): Source {
    return tables[0]?.origin.source ?? (this.options.source === 'auto' ? 'ss' : this.options.source);
  }

  private some(test: (looker: Looker) => boolean): boolean {
    for (const { looker } of this.members.values()) if (test(looker)) return true;
    return false;
  }
}

const isSamePlace = (before: FoundNamespace, now: FoundNamespace): boolean =>
  before.place.path === now.place.path && before.pid === now.pid && before.mark === now.mark;

function faultOf(error: unknown, origin: Origin, namespace: Namespace): GapObservation {
  const message = error instanceof Error ? error.message : String(error);
  return {
    kind: 'gap',
    origin,
    gaps: [{ what: 'sockets', why: message }],
    fault: error instanceof SourceError ? error.fault : 'failed',
    ...(error instanceof SourceError && error.remedy !== undefined && { remedy: error.remedy }),
    namespace,
  };
}

const asError = ({ gaps, fault, remedy }: GapObservation) =>
  new SourceError(
    SOURCE_FAULTS.find((one) => one === fault) ?? 'failed',
    gaps[0]?.why ?? 'no namespace could be read',
    remedy,
  );
