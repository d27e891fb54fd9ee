// Writes schema/*.schema.json from the types of src/model/*json.ts. `--check` only says whether they are up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Config, createGenerator } from 'ts-json-schema-generator';

const path = (relative: string) => fileURLToPath(new URL(`../${relative}`, import.meta.url));

/** File name in schema/ -> the type behind it. */
const SCHEMAS = {
  connection: 'TraceConnectionJson',
  summary: 'TraceSummaryJson',
  pcap: 'TraceJson',
  snapshot: 'SnapshotJson',
  header: 'HeaderJson',
  socket: 'SocketJson',
  end: 'EndJson',
  groups: 'GroupsJson',
  group: 'GroupLineJson',
  alert: 'AlertJson',
  check: 'CheckJson',
  pools: 'PoolsJson',
  pool: 'PoolLineJson',
  diagnosis: 'DiagnosisJson',
} as const;

const config: Config = {
  path: path('src/model/*json.ts'),
  tsconfig: path('tsconfig.json'),
  skipTypeCheck: true,
  // More fields are welcome in later versions: readers must not refuse them.
  additionalProperties: true,
  topRef: false,
};

/** The text that each file should have. */
export function makeSchemas(): Map<string, string> {
  const generator = createGenerator(config);
  const entries = Object.entries(SCHEMAS).map(([name, type]) => {
    const schema = { ...generator.createSchema(type), title: `sockwatch.${name}/1` };
    return [`schema/${name}.schema.json`, `${JSON.stringify(schema, null, 2)}\n`] as const;
  });
  return new Map(entries);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const check = process.argv.includes('--check');
  for (const [file, text] of makeSchemas()) {
    if (!check) writeFileSync(path(file), text);
    else if (readFileSync(path(file), 'utf8') !== text) {
      process.exitCode = 1;
      console.error(`${file} is not what the types say: run npm run schema`);
    }
  }
}
