import { type Container, type Home, type Namespace, RUNTIMES } from '../../model/namespace.js';
import { asList, asNumber, asText, Fields } from './fields.js';

/** Pairs of a pid and where it lives. Throws ParseError. */
export const readHomes = (list: readonly unknown[], where: string): ReadonlyMap<number, Home> =>
  new Map(
    list.map((value) => {
      const [pid, home] = asList(value, where);
      return [asNumber(pid, where), readHome(Fields.of(home, where))] as const;
    }),
  );

/** What a namespace is called. Throws ParseError. */
export function readNamespace(value: unknown, where: string): Omit<Namespace, 'id'> {
  const fields = Fields.of(value, where);
  return {
    ...(fields.has('name') && { name: fields.text('name') }),
    ...readHome(fields),
    ...(fields.has('containers') && {
      containers: fields.list('containers').map((one) => readContainer(Fields.of(one, fields.where))),
    }),
  };
}

function readHome(fields: Fields): Home {
  return {
    ...(fields.has('container') && {
      container: readContainer(Fields.of(fields.value('container'), fields.where)),
    }),
    ...(fields.has('pod') && { pod: fields.text('pod') }),
    ...(fields.has('unit') && { unit: fields.text('unit') }),
    ...(fields.has('mountNamespace') && { mountNamespace: fields.text('mountNamespace') }),
  };
}

function readContainer(fields: Fields): Container {
  // A later version may know more of them.
  const runtime = fields.has('runtime') ? RUNTIMES.find((one) => one === fields.value('runtime')) : undefined;
  return {
    id: asText(fields.value('id'), fields.where),
    ...(fields.has('name') && { name: fields.text('name') }),
    ...(runtime !== undefined && { runtime }),
  };
}
