import { describe, expect, it } from 'vitest';
import type { Change } from '../../src/model/changes.js';
import type { Home } from '../../src/model/namespace.js';
import type { Owner } from '../../src/model/sockets.js';
import { listen, look, type RowSpec, row } from '../support/table-builder.js';
import { Timeline } from './timeline.js';

const owner = (pid: number, name = 'nginx', fd = 6): Owner => ({ pid, fd, name });
const at = (inode: number, owners: readonly Owner[] | undefined, local = '10.0.0.5:8080'): RowSpec =>
  listen(local, [0, 9], { inode }, owners === undefined ? {} : { owners });
const connection = (pid: number, n: number): RowSpec =>
  row({
    local: '10.0.0.5:8080',
    remote: `10.0.0.9:${4000 + n}`,
    columns: { inode: 100 + n },
    owners: [owner(pid)],
  });

/** What each look had to say. */
function tell(...looks: readonly (readonly RowSpec[])[]): string[][] {
  const timeline = new Timeline();
  return looks.map((rows, n) => texts(timeline.take(look(n * 1000, rows)).changes));
}

const texts = (changes: readonly Change[] | undefined) =>
  (changes ?? []).map(({ kind, subjectText, message }) => `${kind} ${subjectText} ${message}`);

describe('a listener that changes hands', () => {
  it('the first look is what there is; then a new socket of another process is a takeover', () => {
    expect(tell([at(1, [owner(640)])], [at(2, [owner(812)])])).toEqual([
      [],
      ['takeover 10.0.0.5:8080 taken over by nginx/812, was nginx/640; no connections are left on nginx/640'],
    ]);
  });

  it('counts the connections that are left on the old process, as evidence too', () => {
    const timeline = new Timeline();
    timeline.take(look(0, [at(1, [owner(640)]), connection(640, 1), connection(640, 2)]));
    const { changes, alerts, events } = timeline.take(
      look(1000, [at(2, [owner(812)]), connection(640, 1), connection(640, 2), connection(812, 3)]),
    );
    expect(texts(changes)).toEqual([
      'takeover 10.0.0.5:8080 taken over by nginx/812, was nginx/640; 2 connections are left on nginx/640',
    ]);
    expect(changes?.[0]?.evidence).toEqual([
      {
        metric: 'connections_left',
        value: 2,
        unit: 'connections',
        text: '2 connections are left on nginx/640',
      },
    ]);
    // Good to know, and no trouble.
    expect([alerts, events]).toEqual([[], []]);
  });

  it('waits for owners of connections that are found later, and no longer than 5 s', () => {
    const unknown = row({ local: '10.0.0.5:8080', remote: '10.0.0.9:4001', columns: { inode: 101 } });
    expect(
      tell(
        [at(1, [owner(640)]), connection(640, 1)],
        [at(2, [owner(812)]), unknown],
        [at(2, [owner(812)]), connection(640, 1)],
      ),
    ).toEqual([
      [],
      [],
      ['takeover 10.0.0.5:8080 taken over by nginx/812, was nginx/640; 1 connection is left on nginx/640'],
    ]);
    const late = Array.from({ length: 7 }, () => [at(2, [owner(812)]), unknown]);
    expect(tell([at(1, [owner(640)])], ...late).flat()).toEqual([
      'takeover 10.0.0.5:8080 taken over by nginx/812, was nginx/640; at least 0 connections left on nginx/640 (owners of 1 are not known)',
    ]);
  });

  it('SO_REUSEPORT: who comes beside is said, and once the old one has left it was taken over', () => {
    expect(
      tell(
        [at(1, [owner(640)])],
        [at(1, [owner(640)]), at(2, [owner(812)])],
        [at(1, [owner(640)]), at(2, [owner(812)])],
        [at(2, [owner(812)])],
        [at(2, [owner(812)])],
      ),
    ).toEqual([
      [],
      ['owner 10.0.0.5:8080 nginx/812 listens there too, beside nginx/640'],
      [],
      ['takeover 10.0.0.5:8080 taken over by nginx/812, was nginx/640; no connections are left on nginx/640'],
      [],
    ]);
  });

  it('after 10 minutes side by side nobody has taken over from the other', () => {
    const timeline = new Timeline();
    const both = [at(1, [owner(640)]), at(2, [owner(812)])];
    timeline.take(look(0, [at(1, [owner(640)])]));
    timeline.take(look(1000, both));
    for (let minute = 1; minute <= 11; minute++) timeline.take(look(1000 + minute * 60_000, both));
    const { changes } = timeline.take(look(700_000, [at(2, [owner(812)])]));
    expect(texts(changes)).toEqual(['owner 10.0.0.5:8080 nginx/640 listens there no more, nginx/812 does']);
  });

  it('nginx reloads: other workers of the same master behind the same socket are no news', () => {
    const workers = (...pids: number[]) => [at(1, [owner(640), ...pids.map((pid) => owner(pid))])];
    expect(tell(workers(641, 642), workers(641, 642, 643, 644), workers(643, 644)).flat()).toEqual([]);
  });

  it('nginx is upgraded: the same socket with another master is a takeover once the old one has gone', () => {
    const held = (...pids: number[]) => [
      at(
        1,
        pids.map((pid) => owner(pid)),
      ),
    ];
    expect(tell(held(640, 641), held(640, 641, 812, 813), held(812, 813)).flat()).toEqual([
      'takeover 10.0.0.5:8080 taken over by nginx/812 and 1 more, was nginx/640 and 1 more; no connections are left on nginx/640 and 1 more',
    ]);
  });

  it('systemd passes its socket on, and to the next process after it', () => {
    const systemd = owner(1, 'systemd', 40);
    const held = (...owners: Owner[]) => [at(1, owners)];
    expect(
      tell(
        held(systemd),
        held(systemd, owner(812, 'app')),
        held(systemd, owner(900, 'app')),
        held(systemd),
      ).flat(),
    ).toEqual([
      'owner 10.0.0.5:8080 passed on by systemd/1 to app/812',
      'takeover 10.0.0.5:8080 taken over by app/900, was app/812; no connections are left on app/812',
      'owner 10.0.0.5:8080 back with systemd/1, was app/900',
    ]);
  });

  it('exec: the same process under another name', () => {
    expect(tell([at(1, [owner(640, 'sh')])], [at(1, [owner(640, 'app')])]).flat()).toEqual([
      'owner 10.0.0.5:8080 sh/640 is app/640 now',
    ]);
  });

  it('unknown owners prove nothing', () => {
    expect(
      tell([at(1, [owner(640)])], [at(2, undefined)], [at(2, undefined)], [at(2, [owner(640)])]).flat(),
    ).toEqual([]);
    expect(tell([at(1, undefined)], [at(1, [owner(812)])], [at(1, [owner(812)])]).flat()).toEqual([]);
  });

  describe('owners that come late', () => {
    const late = (n: number, ...rows: RowSpec[]) => Array.from({ length: n }, () => rows);
    const address = '10.0.0.5:8080';

    it('who comes beside is said once it is known who it is', () => {
      const [a, b] = [at(1, [owner(640)]), at(2, [owner(812)])];
      expect(tell([a], [a, at(2, undefined)], [a, at(2, undefined)], [a, b], [a, b], [b])).toEqual([
        [],
        [],
        [],
        [`owner ${address} nginx/812 listens there too, beside nginx/640`],
        [],
        [`takeover ${address} taken over by nginx/812, was nginx/640; no connections are left on nginx/640`],
      ]);
      expect(tell([a], [a, at(2, undefined)], [b]).flat()).toEqual([
        `takeover ${address} taken over by nginx/812, was nginx/640; no connections are left on nginx/640`,
      ]);
    });

    it('those whose socket was there first are the earlier ones, also where all become known at once', () => {
      const [a, b] = [at(1, undefined), at(2, undefined)];
      const both = [at(1, [owner(640)]), at(2, [owner(812)])];
      expect(tell([a], [a, b], both, [at(2, [owner(812)])])).toEqual([
        [],
        [],
        [`owner ${address} nginx/812 listens there too, beside nginx/640`],
        [`takeover ${address} taken over by nginx/812, was nginx/640; no connections are left on nginx/640`],
      ]);
      // Of two that are there from the start none came later.
      expect(tell([a, b], both).flat()).toEqual([]);
    });

    it('says that others listen there where nobody knows whose the earlier sockets were', () => {
      expect(tell([at(1, undefined)], [at(2, [owner(812)])], [at(2, [owner(812)])]).flat()).toEqual([
        `owner ${address} nginx/812 listens there now with another socket; whose the earlier was is not known`,
      ]);
      const before = [at(1, undefined), at(2, undefined)];
      const after = [at(3, [owner(812)]), at(4, [owner(813)])];
      expect(tell(before, [...before, at(3, undefined)], [at(3, undefined)], after).flat()).toEqual([
        `owner ${address} nginx/812 and 1 more listen there now with other sockets; whose the earlier were is not known`,
      ]);
      // From then on they are those who are there.
      expect(tell([at(1, undefined)], [at(2, [owner(812)])], [at(3, [owner(900)])]).flat()[1]).toBe(
        `takeover ${address} taken over by nginx/900, was nginx/812; no connections are left on nginx/812`,
      );
    });

    it('says that one of several has gone before it was known whose it was', () => {
      expect(
        tell([at(1, undefined), at(2, undefined)], [at(2, [owner(812)])], [at(2, [owner(812)])]).flat(),
      ).toEqual([
        `owner ${address} another socket, whose owners are not known, listens there no more, nginx/812 does`,
      ]);
    });

    it('says after 5 s that others listen there, also where nobody ever knows who', () => {
      const told = `owner ${address} another socket listens there now; whose it is is not known`;
      expect(tell([at(1, undefined)], ...late(5, at(2, undefined))).flat()).toEqual([]);
      expect(tell([at(1, undefined)], ...late(20, at(2, undefined))).flat()).toEqual([told]);
      expect(
        tell(
          late(1, at(1, undefined))[0] ?? [],
          ...late(20, at(2, undefined)),
          ...late(7, at(3, undefined)),
        ).flat(),
      ).toEqual([told, told]);
      expect(tell([at(1, [owner(640)])], ...late(20, at(2, undefined))).flat()).toEqual([
        `${told}, was nginx/640`,
      ]);
      // One that comes beside the first takes nothing over, and one that a look missed is the same one.
      expect(tell([at(1, undefined)], ...late(20, at(1, undefined), at(2, undefined))).flat()).toEqual([]);
      expect(tell([at(1, undefined)], [], ...late(20, at(1, undefined))).flat()).toEqual([]);
    });

    it('and who took over once that is known after all, or that it is the earlier one', () => {
      const hidden = [[at(1, [owner(640)])], ...late(8, at(2, undefined))];
      expect(tell(...hidden, [at(2, [owner(812)])]).flat()[1]).toBe(
        `takeover ${address} taken over by nginx/812, was nginx/640; no connections are left on nginx/640`,
      );
      const back = tell(...hidden, [at(2, [owner(640)])], [at(2, [owner(640)])]).flat();
      expect(back.slice(1)).toEqual([`owner ${address} nginx/640 listens there now`]);
      expect(tell(...hidden, [], []).flat()[1]).toBe(`listener ${address} listens no more`);
      expect(tell([at(1, [owner(640)])], [at(2, undefined)], [], []).flat()).toEqual([
        `listener ${address} listens no more`,
      ]);
    });

    it('an address that came back is said to be in use again', () => {
      expect(tell([at(1, undefined)], [], [], [at(2, [owner(812)])]).flat()).toEqual([
        `listener ${address} listens no more`,
        `owner ${address} nginx/812 listens there now with another socket; whose the earlier was is not known`,
      ]);
      expect(tell([at(1, undefined)], [], [], [at(1, [owner(640)])]).flat()).toEqual([
        `listener ${address} listens no more`,
        `listener ${address} nginx/640 listens again`,
      ]);
    });
  });

  it('one look may miss a listener: only two in a row are an end, and who comes back soon takes over', () => {
    const here = [at(1, [owner(640)])];
    expect(tell(here, [], here, []).flat()).toEqual([]);
    expect(tell(here, [], [], [at(2, [owner(812)])])).toEqual([
      [],
      [],
      ['listener 10.0.0.5:8080 listens no more (was nginx/640)'],
      [
        'takeover 10.0.0.5:8080 taken over by nginx/812, was nginx/640, after up to 3.0 s without a listener; no connections are left on nginx/640',
      ],
    ]);
  });

  it('who comes back after more than 10 s has taken over from nobody, however far apart the looks are', () => {
    const timeline = new Timeline();
    const minute = (n: number, rows: RowSpec[]) => texts(timeline.take(look(n * 60_000, rows)).changes);
    expect(minute(0, [at(1, [owner(640)])])).toEqual([]);
    expect(minute(1, [])).toEqual([]);
    expect(minute(2, [at(2, [owner(812)])])).toEqual([
      'listener 10.0.0.5:8080 listens no more (was nginx/640)',
      'listener 10.0.0.5:8080 nginx/812 listens now',
    ]);
    // The very same socket was only missed by a look.
    expect(minute(3, [])).toEqual([]);
    expect(minute(4, [at(2, [owner(812)])])).toEqual([]);
  });

  it('a restart of a process with many listeners is one event, with all the connections that are left', () => {
    const many = (pid: number, inode: number) =>
      Array.from({ length: 800 }, (_, n) => at(inode + n, [owner(pid)], `10.0.0.5:${20_000 + n}`));
    const old = row({
      local: '10.0.0.5:20799',
      remote: '10.0.0.9:4000',
      columns: { inode: 9000 },
      owners: [owner(640)],
    });
    const timeline = new Timeline();
    timeline.take(look(0, many(640, 1)));
    const { changes = [] } = timeline.take(look(1000, [...many(812, 1001), old]));
    expect(texts(changes)).toEqual([
      'takeover 10.0.0.5:20000 taken over by nginx/812, was nginx/640: 800 listeners (10.0.0.5:20000, 10.0.0.5:20001, 10.0.0.5:20002 and 797 more); 1 connection is left on nginx/640',
    ]);
    expect(changes[0]?.others).toHaveLength(799);
  });

  it('between two looks at all connections it waits for the next, and no longer than 5 s', () => {
    const watch = () => {
      const timeline = new Timeline();
      timeline.take(look(0, [at(1, [owner(640)]), connection(640, 1)]));
      const part = (ms: number) =>
        texts(timeline.take(look(ms, [at(2, [owner(812)])], { scope: 'listeners' })).changes);
      return { timeline, part };
    };
    const soon = watch();
    expect(soon.part(1000)).toEqual([]);
    const whole = look(2000, [at(2, [owner(812)]), connection(640, 1)]);
    expect(texts(soon.timeline.take(whole).changes)).toEqual([
      'takeover 10.0.0.5:8080 taken over by nginx/812, was nginx/640; 1 connection is left on nginx/640',
    ]);
    const late = watch();
    expect([1000, 3000, 5000].flatMap(late.part)).toEqual([]);
    expect(late.part(6000)).toEqual([
      'takeover 10.0.0.5:8080 taken over by nginx/812, was nginx/640; how many connections are left is not known',
    ]);
  });

  describe('a Unix socket of a path', () => {
    const here = (inode: number, owners?: readonly Owner[]): RowSpec => ({
      ...listen('/run/app.sock', [0, 9], { inode }, owners === undefined ? {} : { owners }),
      protocol: 'unix',
    });
    const inContainer = (id: string) => ({ container: { id: id.repeat(64) } });
    const homes = new Map([
      [640, inContainer('a')],
      [812, inContainer('b')],
      [900, inContainer('b')],
    ]);
    const tellOf = (...looks: readonly (readonly RowSpec[])[]) => {
      const timeline = new Timeline();
      return looks.flatMap((rows, n) => texts(timeline.take(look(n * 1000, rows, { homes })).changes));
    };

    it('is another in another container, though the path is the same', () => {
      expect(tellOf([here(1, [owner(640)])], [here(1, [owner(640)]), here(2, [owner(812)])])).toEqual([
        'listener /run/app.sock nginx/812 listens now',
      ]);
      const gone = [here(2, [owner(812)])];
      expect(tellOf([here(1, [owner(640)])], gone, gone)).toEqual([
        'listener /run/app.sock nginx/812 listens now',
        'listener /run/app.sock listens no more (was nginx/640)',
      ]);
    });

    it('changes hands within its container, and stays one when its owners become known', () => {
      expect(tellOf([here(2, [owner(812)])], [here(3, [owner(900)])])).toEqual([
        'takeover /run/app.sock taken over by nginx/900, was nginx/812',
      ]);
      expect(tellOf([here(2)], [here(2, [owner(812)])], [here(2, [owner(812)])])).toEqual([]);
      // Its owner comes late: only then is it known of which container the path is.
      const late = [[here(2, [owner(812)])], [here(3)], [here(3, [owner(900)])], [here(3, [owner(900)])]];
      expect(tellOf(...late)).toEqual(['takeover /run/app.sock taken over by nginx/900, was nginx/812']);
      const elsewhere = [
        [here(1, [owner(640)])],
        [here(1, [owner(640)]), here(3)],
        [here(1, [owner(640)]), here(3, [owner(900)])],
      ];
      expect(tellOf(...elsewhere)).toEqual(['listener /run/app.sock nginx/900 listens now']);
    });

    it('is another under other mounts, also of the same unit (PrivateTmp=) and of the same container', () => {
      const mounts = (mountNamespace: string, rest: Home = {}): Home => ({ ...rest, mountNamespace });
      const after = (one: Home | undefined, other: Home | undefined) => {
        const homes = new Map<number, Home>();
        if (one !== undefined) homes.set(640, one);
        if (other !== undefined) homes.set(812, other);
        const timeline = new Timeline();
        const looks = [here(1, [owner(640)]), here(2, [owner(812)]), here(2, [owner(812)])];
        return looks.flatMap((row, n) => texts(timeline.take(look(n * 1000, [row], { homes })).changes));
      };
      const [unit, { container }] = [{ unit: 'app.service' }, inContainer('a')];
      for (const home of [{}, unit, { container }])
        expect(after(mounts('701', home), mounts('702', home))).toEqual([
          'listener /run/app.sock (mnt 702) nginx/812 listens now',
          'listener /run/app.sock (mnt 701) listens no more (was nginx/640)',
        ]);
      expect(after(undefined, mounts('702'))).toEqual([
        'listener /run/app.sock (mnt 702) nginx/812 listens now',
        'listener /run/app.sock listens no more (was nginx/640)',
      ]);
      // The number of mounts that ended is that of the next ones: only who is there beside the other is in the same.
      for (const home of [{}, unit])
        expect(after(mounts('701', home), mounts('701', home))).toEqual([
          'listener /run/app.sock (mnt 701) listens no more (was nginx/640)',
          'listener /run/app.sock (mnt 701) nginx/812 listens now',
        ]);
      expect(after(mounts('701', { container }), mounts('701', { container }))).toEqual([
        'takeover /run/app.sock (mnt 701) taken over by nginx/812, was nginx/640',
      ]);
      const [a, b] = [here(1, [owner(640)]), here(2, [owner(812)])];
      const same = new Map([640, 812].map((pid) => [pid, mounts('701', unit)] as const));
      const beside = (...looks: RowSpec[][]) => {
        const timeline = new Timeline();
        return looks.flatMap((rows, n) =>
          texts(timeline.take(look(n * 1000, rows, { homes: same })).changes),
        );
      };
      expect(beside([a], [a, b], [b])).toEqual([
        'owner /run/app.sock (mnt 701) nginx/812 listens there too, beside nginx/640',
        'takeover /run/app.sock (mnt 701) taken over by nginx/812, was nginx/640',
      ]);
      expect(beside([a], [here(1, [owner(812)])])).toEqual([
        'takeover /run/app.sock (mnt 701) taken over by nginx/812, was nginx/640',
      ]);
      // The same process with another socket.
      expect(beside([a], [here(2, [owner(640)])], [here(2, [owner(640)])])).toEqual([]);
      expect(after(unit, unit)).toEqual(['takeover /run/app.sock taken over by nginx/812, was nginx/640']);
    });

    it('an abstract name has no mounts', () => {
      const abstract = (inode: number, pid: number): RowSpec => ({
        ...here(inode, [owner(pid)]),
        local: '@app',
      });
      const timeline = new Timeline();
      const homes = new Map([
        [640, { mountNamespace: '701' }],
        [812, { mountNamespace: '702' }],
      ]);
      const said = [abstract(1, 640), abstract(2, 812)].flatMap((row, n) =>
        texts(timeline.take(look(n * 1000, [row], { homes })).changes),
      );
      expect(said).toEqual(['takeover @app taken over by nginx/812, was nginx/640']);
    });
  });

  it('several processes listen, one listens', () => {
    expect(tell([], [at(1, [owner(640), owner(641), owner(642)])])[1]).toEqual([
      'listener 10.0.0.5:8080 nginx/640 and 2 more listen now',
    ]);
  });

  it('listeners that come say who they are as soon as that is known', () => {
    expect(tell([], [at(1, [owner(640)])])).toEqual([[], ['listener 10.0.0.5:8080 nginx/640 listens now']]);
    expect(tell([], [at(1, undefined)], [at(1, [owner(640)])])).toEqual([
      [],
      [],
      ['listener 10.0.0.5:8080 nginx/640 listens now'],
    ]);
  });

  it('hundreds at once are few lines', () => {
    const many = Array.from({ length: 300 }, (_, n) => at(n + 1, [owner(n + 10)], `10.0.0.5:${1000 + n}`));
    const said = tell([], many)[1] ?? [];
    expect(said).toHaveLength(51);
    expect(said.at(-1)).toBe('listener host 250 further changes of listeners at once');
  });

  it('one look alone has nothing to say', () => {
    const timeline = new Timeline({ oneLook: true });
    timeline.take(look(0, [at(1, [owner(640)])]));
    expect(timeline.take(look(1000, [at(2, [owner(812)])])).changes).toBeUndefined();
  });
});
