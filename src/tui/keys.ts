/** What a key can ask for. The reducer answers all but the ones of `EFFECTS`, which the app does itself. */
export const ACTIONS = [
  'help',
  'filter',
  'sort',
  'sort-before',
  'sort-after',
  'reverse',
  'panel-next',
  'panel-before',
  'panel-1',
  'panel-2',
  'panel-3',
  'panel-4',
  'panel-5',
  'zoom',
  'charts',
  'pools',
  'closed',
  'details',
  'up',
  'down',
  'page-up',
  'page-down',
  'half-up',
  'half-down',
  'first',
  'last',
  'pause',
  'faster',
  'slower',
  'acknowledge',
  'seek-back',
  'seek-on',
  'seek-far-back',
  'seek-far-on',
  'seek-start',
  'seek-end',
  'next-alert',
  'previous-alert',
  'back',
  'redraw',
  'suspend',
  'quit',
  'interrupt',
] as const;
export type Action = (typeof ACTIONS)[number];

export interface KeyBinding {
  /** Names as `decodeInput` gives them. */
  readonly keys: readonly string[];
  readonly action: Action;
  /** How the keys are written for people. */
  readonly shown: string;
  /** For the help. */
  readonly text: string;
  /** Its place in the key bar: the word, and its rank (1 is dropped last). Absent: not in the bar. */
  readonly bar?: { readonly key: string; readonly word: string; readonly rank: number };
  /** Those of `replay` mean something only while a recording is shown; they come before others with the same key. */
  readonly group: 'look' | 'move' | 'replay' | 'program';
}

/** All keys: the help and the key bar are made from this table, so that they cannot be wrong. */
export const KEYS: readonly KeyBinding[] = [
  {
    keys: ['?', 'f1'],
    action: 'help',
    shown: '? F1',
    text: 'this help',
    bar: { key: '?', word: 'Help', rank: 2 },
    group: 'program',
  },
  {
    keys: ['/'],
    action: 'filter',
    shown: '/',
    text: 'filter: port:443 state:established process:nginx remote:10.0.0.0/8 -state:time-wait',
    bar: { key: '/', word: 'Filter', rank: 5 },
    group: 'look',
  },
  {
    keys: ['s'],
    action: 'sort',
    shown: 's',
    text: 'choose what the panel is sorted by',
    bar: { key: 's', word: 'Sort', rank: 6 },
    group: 'look',
  },
  { keys: ['<'], action: 'sort-before', shown: '<', text: 'sort by the column before', group: 'look' },
  { keys: ['>'], action: 'sort-after', shown: '>', text: 'sort by the column after', group: 'look' },
  {
    keys: ['r'],
    action: 'reverse',
    shown: 'r',
    text: 'reverse the order',
    bar: { key: 'r', word: 'Reverse', rank: 14 },
    group: 'look',
  },
  {
    keys: ['enter'],
    action: 'details',
    shown: 'Enter',
    text: 'details of the selected listener, connection, pool, alert or group of ended connections',
    bar: { key: 'Enter', word: 'Details', rank: 7 },
    group: 'look',
  },
  {
    keys: ['tab'],
    action: 'panel-next',
    shown: 'Tab',
    text: 'next panel',
    bar: { key: 'Tab', word: 'Panel', rank: 13 },
    group: 'move',
  },
  { keys: ['S-tab'], action: 'panel-before', shown: 'Shift-Tab', text: 'panel before', group: 'move' },
  { keys: ['1'], action: 'panel-1', shown: '1', text: 'listeners', group: 'move' },
  { keys: ['2'], action: 'panel-2', shown: '2', text: 'chart of queue fill', group: 'move' },
  { keys: ['3'], action: 'panel-3', shown: '3', text: 'chart of new connections', group: 'move' },
  { keys: ['4'], action: 'panel-4', shown: '4', text: 'connections', group: 'move' },
  { keys: ['5'], action: 'panel-5', shown: '5', text: 'alerts', group: 'move' },
  { keys: ['up', 'k'], action: 'up', shown: 'Up k', text: 'one row up', group: 'move' },
  { keys: ['down', 'j'], action: 'down', shown: 'Down j', text: 'one row down', group: 'move' },
  { keys: ['pageup', 'C-b'], action: 'page-up', shown: 'PgUp', text: 'one page up', group: 'move' },
  { keys: ['pagedown', 'C-f'], action: 'page-down', shown: 'PgDn', text: 'one page down', group: 'move' },
  { keys: ['C-u'], action: 'half-up', shown: 'Ctrl-U', text: 'half a page up', group: 'move' },
  { keys: ['C-d'], action: 'half-down', shown: 'Ctrl-D', text: 'half a page down', group: 'move' },
  { keys: ['home', 'g'], action: 'first', shown: 'Home g', text: 'first row', group: 'move' },
  { keys: ['end', 'G'], action: 'last', shown: 'End G', text: 'last row', group: 'move' },
  {
    keys: ['z'],
    action: 'zoom',
    shown: 'z',
    text: 'give the whole screen to the panel, and back',
    bar: { key: 'z', word: 'Zoom', rank: 11 },
    group: 'look',
  },
  {
    keys: ['c'],
    action: 'charts',
    shown: 'c',
    text: 'charts on or off (on a small screen: in place of the listeners)',
    bar: { key: 'c', word: 'Charts', rank: 12 },
    group: 'look',
  },
  {
    keys: ['p'],
    action: 'pools',
    shown: 'p',
    text: 'pools: connections by process and remote, and how they are used',
    bar: { key: 'p', word: 'Pools', rank: 8 },
    group: 'look',
  },
  {
    keys: ['e'],
    action: 'closed',
    shown: 'e',
    text: 'ended connections: how many, how long they lasted, who closed them',
    bar: { key: 'e', word: 'Ended', rank: 9 },
    group: 'look',
  },
  {
    keys: ['space'],
    action: 'pause',
    shown: 'Space',
    text: 'pause and go on; scrolling, sorting and filtering work meanwhile',
    bar: { key: 'Space', word: 'Pause', rank: 10 },
    group: 'program',
  },
  {
    keys: ['+', '='],
    action: 'faster',
    shown: '+',
    text: 'refresh more often',
    bar: { key: '+/-', word: 'Rate', rank: 16 },
    group: 'program',
  },
  { keys: ['-'], action: 'slower', shown: '-', text: 'refresh less often', group: 'program' },
  {
    keys: ['a'],
    action: 'acknowledge',
    shown: 'a',
    text: 'acknowledge the selected alert, or the worst one',
    bar: { key: 'a', word: 'Ack', rank: 15 },
    group: 'program',
  },
  {
    keys: ['escape'],
    action: 'back',
    shown: 'Esc',
    text: 'close what is open, else clear the filter',
    bar: { key: 'Esc', word: 'Back', rank: 17 },
    group: 'program',
  },
  { keys: ['C-l'], action: 'redraw', shown: 'Ctrl-L', text: 'draw the screen anew', group: 'program' },
  {
    keys: ['C-z'],
    action: 'suspend',
    shown: 'Ctrl-Z',
    text: 'to the shell; fg comes back',
    group: 'program',
  },
  {
    keys: ['left'],
    action: 'seek-back',
    shown: 'Left',
    text: '10 seconds back',
    bar: { key: 'Left/Right', word: 'Seek', rank: 3 },
    group: 'replay',
  },
  { keys: ['right'], action: 'seek-on', shown: 'Right', text: '10 seconds on', group: 'replay' },
  { keys: ['['], action: 'seek-far-back', shown: '[', text: 'a minute back', group: 'replay' },
  { keys: [']'], action: 'seek-far-on', shown: ']', text: 'a minute on', group: 'replay' },
  { keys: ['home'], action: 'seek-start', shown: 'Home', text: 'to the beginning', group: 'replay' },
  { keys: ['end'], action: 'seek-end', shown: 'End', text: 'to the end', group: 'replay' },
  {
    keys: ['n'],
    action: 'next-alert',
    shown: 'n',
    text: 'to the next alert',
    bar: { key: 'n/N', word: 'Alert', rank: 4 },
    group: 'replay',
  },
  { keys: ['N'], action: 'previous-alert', shown: 'N', text: 'to the alert before', group: 'replay' },
  {
    keys: ['q'],
    action: 'quit',
    shown: 'q',
    text: 'quit',
    bar: { key: 'q', word: 'Quit', rank: 1 },
    group: 'program',
  },
  { keys: ['C-c'], action: 'interrupt', shown: 'Ctrl-C', text: 'quit, exit status 130', group: 'program' },
];

const byKey = (bindings: readonly KeyBinding[]): ReadonlyMap<string, Action> =>
  new Map(bindings.flatMap(({ keys, action }) => keys.map((key) => [key, action] as const)));

const BY_KEY = byKey(KEYS.filter(({ group }) => group !== 'replay'));
const BY_KEY_IN_REPLAY = byKey(KEYS.filter(({ group }) => group === 'replay'));

/** What a key means outside the filter bar, `undefined` for none. */
export const actionOf = (key: string, inReplay = false): Action | undefined =>
  (inReplay ? BY_KEY_IN_REPLAY.get(key) : undefined) ?? BY_KEY.get(key);
