import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseFilter } from '../../src/analyze/filter.js';
import { ParseError } from '../../src/model/errors.js';

const KEYS =
  'port, lport, rport, state, process, pid, local, remote, recvq, sendq, rtt, wait, waiting, proto, uid, inode, verdict, fill, netns, container';
const PORT = 'a port, as 443, 80,443 or 8000-8099';
const NETWORK = 'an address or a network, as 10.0.0.5 or 10.0.0.0/8';

function messageOf(text: string): string {
  try {
    parseFilter(text);
  } catch (error) {
    expect(error).toBeInstanceOf(ParseError);
    return (error as ParseError).message;
  }
  return 'no error';
}

describe('an error says where, what was expected and what came', () => {
  test.each([
    ['state:listen prot:tcp', `filter, at "prot:": expected one of ${KEYS}, got "prot"`],
    ['constructor:1', `filter, at "constructor:": expected one of ${KEYS}, got "constructor"`],
    ['port:', `filter, at "port:": expected ${PORT}, got ""`],
    ['port:http', `filter, at "port:http": expected ${PORT}, got "http"`],
    ['port:65536', `filter, at "port:65536": expected ${PORT}, got "65536"`],
    ['-port:99-80', `filter, at "-port:99-80": expected ${PORT}, got "99-80"`],
    ['port>1-5', 'filter, at "port>1-5": expected one number after >, got "1-5"'],
    ['state>3', 'filter, at "state>3": expected ":" after state, got ">"'],
    ['state:fin', 'filter, at "state:fin": expected one of fin-wait-1, fin-wait-2, got "fin"'],
    ['proto:tcp,icmp', 'filter, at "proto:tcp,icmp": expected one of tcp, mptcp, udp, unix, raw, got "icmp"'],
    ['waiting:maybe', 'filter, at "waiting:maybe": expected one of yes, no, got "maybe"'],
    ['process:', 'filter, at "process:": expected a part of a process name, got ""'],
    ['pid:nginx', 'filter, at "pid:nginx": expected a process id, as 812, got "nginx"'],
    ['recvq>much', 'filter, at "recvq>much": expected a whole number, as 0 or 1000, got "much"'],
    ['remote:10.0.0', `filter, at "remote:10.0.0": expected ${NETWORK}, got "10.0.0"`],
    ['remote:10.0.0.0/33', `filter, at "remote:10.0.0.0/33": expected ${NETWORK}, got "10.0.0.0/33"`],
    ['remote:::1/129', `filter, at "remote:::1/129": expected ${NETWORK}, got "::1/129"`],
    ['rtt>fast', 'filter, at "rtt>fast": expected a duration, as 500ms, 1s or 5m, got "fast"'],
    ['fill>50', 'filter, at "fill>50": expected a ratio as 0.5 or a percentage as 50%, got "50"'],
    ['a -', 'filter, at "-": expected a term right after "-", got ""'],
    ['--port:1', 'filter, at "--port:1": expected a term right after "-", got "-port:1"'],
    ['""', 'filter, at "\\"\\"": expected text between the quotes, got ""'],
    ['x "java app', 'filter, at "\\"java app": expected a closing quote, got "\\"java app"'],
    ['//', 'filter, at "//": expected a pattern between the slashes, got ""'],
    ['/(/', 'filter, at "/(/": expected a valid regular expression, got "("'],
    ['/run/x', 'filter, at "/run/x": expected a closing / (a path goes in quotes), got "/run/x"'],
  ])('%s', (text, message) => expect(messageOf(text)).toBe(message));

  test('a pattern that is too long', () => {
    expect(messageOf(`/${'a'.repeat(201)}/`)).toMatch(
      /^filter, at "\/a+\.\.\.": expected a pattern of at most 200 /,
    );
    expect(messageOf(`/${'a'.repeat(200)}/`)).toBe('no error');
  });
});

describe('patterns that could take for ever are refused', () => {
  test.each(['(a+)+$', '(a|aa)*b', '((?:a|b){2}){9}', '(?<x>a*){3,}', '(x(a?))+'])('%s', (source) => {
    expect(messageOf(`/${source}/`)).toContain(
      ': expected no repeat around a group that repeats or chooses, got ',
    );
  });

  test('too many repeats or choices', () => {
    expect(messageOf('/a*a*a*a*b/')).toContain('expected at most 3 of * and + and {n,m}, got "a*a*a*a*b"');
    expect(messageOf(`/${'a?'.repeat(13)}/`)).toContain('expected at most 12 of ? and | in groups');
    expect(messageOf(`/${'(a|b)'.repeat(13)}/`)).toContain('expected at most 12 of ? and | in groups');
  });

  test.each([
    '^tcp.*nginx',
    '(nginx|haproxy)/\\d+',
    '[(+*]+x',
    '\\(a\\)+b',
    '(abc)+',
    'a{1',
    '10\\.0\\.[0-3]\\..*:80',
  ])('%s is allowed', (source) => expect(messageOf(`/${source.replaceAll('/', '\\/')}/`)).toBe('no error'));
});

test('any text is read or refused with ParseError', () => {
  const piece = fc.constantFrom(
    ...'"-/:>=,.*(\\ ',
    'port',
    'state',
    'remote',
    '10.0.0.1',
    '::',
    'full',
    '443',
    'é',
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(piece, { maxLength: 12 }).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(text, (input) => {
      expect(messageOf(input)).toMatch(/^(?:no error|filter, at ".*": expected .+, got ".*")$/);
    }),
    { numRuns: 2000 },
  );
});
