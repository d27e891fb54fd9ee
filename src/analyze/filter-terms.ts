import { ParseError } from '../model/errors.js';
import { VERDICTS } from '../model/findings.js';
import type { Container } from '../model/namespace.js';
import { type Owner, PROTOCOLS, SOCKET_STATES, type SocketState } from '../model/sockets.js';
import {
  type Term as AnyTerm,
  either,
  judge,
  type Language,
  PORTS,
  type Truth,
  term,
} from './filter-language.js';
import { containerTest, namespaceTest } from './filter-namespaces.js';
import type { Quantity, Side, Subject } from './filter-subject.js';
import {
  type Clause,
  type NumberTest,
  readDuration,
  readIntegers,
  readNames,
  readNetworks,
  readRatio,
  wantEquality,
} from './filter-values.js';

type Term = AnyTerm<Subject>;
type Compile = (clause: Clause) => Term;

const port =
  (...sides: readonly [Side, ...Side[]]): Compile =>
  (clause) => {
    const test = readIntegers(clause, 65_535, PORTS);
    const [side, other = side] = sides;
    return term('columns', (subject) => {
      const first = judge(subject.port(side), test);
      return first === true || other === side ? first : either(first, judge(subject.port(other), test));
    });
  };

const address =
  (side: Side): Compile =>
  (clause) => {
    const networks = readNetworks(clause);
    return term('columns', (subject) => networks.some((network) => subject.isWithin(side, network)));
  };

const integer =
  (what: Quantity): Compile =>
  (clause) => {
    const test = readIntegers(clause, Number.MAX_SAFE_INTEGER, 'a whole number, as 0 or 1000');
    return term('columns', (subject) => judge(subject.quantity(what), test));
  };

const measure =
  (what: Quantity, read: (clause: Clause) => NumberTest): Compile =>
  (clause) => {
    const test = read(clause);
    return term('columns', (subject) => judge(subject.quantity(what), test));
  };

const STATE_ALIASES: Readonly<Record<string, SocketState>> = {
  listening: 'listen',
  synreceived: 'syn-recv',
  synrcv: 'syn-recv',
  closed: 'close',
};

function state(clause: Clause): Term {
  const states = readNames(clause, SOCKET_STATES, STATE_ALIASES);
  return term('columns', (subject) => {
    if (states.has(subject.state)) return true;
    return subject.state === 'unknown' ? undefined : false;
  });
}

function protocol(clause: Clause): Term {
  const protocols = readNames(clause, PROTOCOLS);
  return term('columns', (subject) => protocols.has(subject.protocol));
}

function verdict(clause: Clause): Term {
  const verdicts = readNames(clause, VERDICTS);
  return term('columns', (subject) =>
    subject.verdict === undefined ? undefined : verdicts.has(subject.verdict),
  );
}

function waiting(clause: Clause): Term {
  const wanted = readNames(clause, ['yes', 'no'], { true: 'yes', false: 'no' });
  return term('columns', ({ isWaiting }) =>
    isWaiting === undefined ? undefined : wanted.has(isWaiting ? 'yes' : 'no'),
  );
}

const anyOwner = ({ owners }: Subject, test: (owner: Owner) => boolean): Truth => owners?.some(test);

function pid(clause: Clause): Term {
  const test = readIntegers(clause, Number.MAX_SAFE_INTEGER, 'a process id, as 812');
  return term('owners', (subject) => anyOwner(subject, (owner) => test(owner.pid)));
}

function process(clause: Clause): Term {
  wantEquality(clause);
  if (clause.value === '') throw new ParseError(clause.where, 'a part of a process name', '');
  const isNamed = nameTest(clause.value);
  return term('owners', (subject) => anyOwner(subject, isNamed));
}

// Any local user can make names, and a watch lasts for days.
const MOST_NAMES = 10_000;

/** Whether a process name holds the text; each distinct name is searched once. */
function nameTest(text: string): (owner: Owner) => boolean {
  const wanted = text.toLowerCase();
  const known = new Map<string, boolean>();
  return ({ name }) => {
    let holds = known.get(name);
    if (holds === undefined) {
      holds = name.toLowerCase().includes(wanted);
      if (known.size >= MOST_NAMES) known.clear();
      known.set(name, holds);
    }
    return holds;
  };
}

/** A whole name, the label that tables show, or the inode; `*` stands for any characters. */
function netns(clause: Clause): Term {
  const tests = [...readWords(clause, 'a network namespace, as web, web-* or 4026531840')].map(namespaceTest);
  return term('columns', ({ namespace }) =>
    namespace === undefined ? undefined : tests.some((fits) => fits(namespace)),
  );
}

/** A whole name, or the beginning of an id. What lives in none matches none. */
function container(clause: Clause): Term {
  const tests = [...readWords(clause, 'the name of a container, or the beginning of its id')].map(
    containerTest,
  );
  const fitsOne = (one: Container) => tests.some((fits) => fits(one));
  return term('columns', ({ home, namespace }) => {
    // Whose it is of those that share the namespace is not known.
    if (home !== undefined && home === namespace && namespace.containers !== undefined)
      return namespace.containers.some(fitsOne) ? undefined : false;
    return home && (home.container === undefined ? false : fitsOne(home.container));
  });
}

/** Lower case, by commas. */
function readWords(clause: Clause, expected: string): ReadonlySet<string> {
  wantEquality(clause);
  const words = clause.value.split(',').map((word) => word.trim().toLowerCase());
  if (words.includes('')) throw new ParseError(clause.where, expected, clause.value);
  return new Set(words);
}

/** The keys of the filter language, in the order of help and errors. */
const KEYS: Readonly<Record<string, Compile>> = {
  port: port('local', 'remote'),
  lport: port('local'),
  rport: port('remote'),
  state,
  process,
  pid,
  local: address('local'),
  remote: address('remote'),
  recvq: integer('recvq'),
  sendq: integer('sendq'),
  rtt: measure('rtt', readDuration),
  wait: measure('wait', readDuration),
  waiting,
  proto: protocol,
  uid: integer('uid'),
  inode: integer('inode'),
  verdict,
  fill: measure('fill', readRatio),
  netns,
  container,
};

const KEY_ALIASES: Readonly<Record<string, string>> = {
  proc: 'process',
  protocol: 'proto',
  namespace: 'netns',
};

// No process is looked for by these, so that unknown owners do not make `-10.0.0.5` unknown.
const ADDRESS_LIKE = /^(?:[\d.]+|[[\]\da-f.]*:[[\]\da-f:.]*)$/i;

/** A bare word: part of an address, a path or a process name. */
function wordTerm(text: string): Term {
  const wanted = text.toLowerCase();
  if (ADDRESS_LIKE.test(text)) return term('text', ({ addressText }) => addressText.includes(wanted));
  const isNamed = nameTest(text);
  return term('text', (subject) => subject.addressText.includes(wanted) || anyOwner(subject, isNamed));
}

/** What it does not find in a text without owners it might have found in one with them. */
const regexTerm = (pattern: RegExp): Term =>
  term('text', (subject) => {
    if (pattern.test(subject.wholeText)) return true;
    return subject.owners === undefined ? undefined : false;
  });

/** What sockets and listeners are asked. */
export const SOCKET_LANGUAGE: Language<Subject> = {
  keys: KEYS,
  aliases: KEY_ALIASES,
  word: wordTerm,
  regex: regexTerm,
};
