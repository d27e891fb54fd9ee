import type { Command, Interfaces } from '@oclif/core';

/** The package that bin/run.js stands in. */
export interface OwnPackage {
  /** Its folder. */
  readonly root: string;
  readonly pjson: Interfaces.PJSON;
  /** What oclif.manifest.json says of every command. */
  readonly manifest: Interfaces.Manifest;
  /** The module of a command. */
  load(id: string): { readonly default: Command.Class };
}

const PLUGINS_OF_OTHERS = { devPlugins: false, userPlugins: false } as const;

/**
 * What oclif shall read before it runs something: nothing where it is a command of ours, for that is at hand; the packages of all plugins
 * where it is one of theirs, or the list of all commands.
 */
export function loadOptionsFor(own: OwnPackage, [word = '']: readonly string[]): Interfaces.Options {
  const { root, pjson, manifest } = own;
  const options = { root, pjson, ...PLUGINS_OF_OTHERS };
  if (!Object.hasOwn(manifest.commands, word) && word !== '--version') return options;
  return { ...options, plugins: new Map([[pjson.name, pluginOf(own)]]) };
}

/** This package, as oclif would see it once it had found and read it. */
function pluginOf({ root, pjson, manifest, load }: OwnPackage): Interfaces.Plugin {
  const { name, version } = pjson;
  const findCommand = async (id: string): Promise<Command.Class> =>
    Object.assign(load(id).default, { id, plugin });
  const plugin: Interfaces.Plugin = {
    _base: '',
    name,
    alias: name,
    version,
    root,
    pjson,
    type: 'core',
    moduleType: 'module',
    isRoot: true,
    valid: true,
    hasManifest: true,
    options: { root },
    commandIDs: Object.keys(manifest.commands),
    commandsDir: undefined,
    commands: Object.values(manifest.commands).map((command) => ({
      ...command,
      pluginType: 'core',
      pluginAlias: name,
      load: () => findCommand(command.id),
    })),
    hooks: {},
    topics: [],
    findCommand,
    load: async () => {},
  };
  return plugin;
}
